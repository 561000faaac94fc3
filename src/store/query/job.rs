//! Scheduled jobs, and the times of the last runs and deliveries.

use super::Reader;
use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Timestamp, run::RunHours},
    store::{
        StoreError,
        row::{Unreadable, run_hours},
        sql::params,
    },
};

/// How a job's last run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// The outcome, its reason, and the counts of targets.
    pub end: RunEnd,
    /// Since when runs end with this outcome.
    pub since: Timestamp,
    /// When its last run began.
    pub last_begun_at: Timestamp,
    /// When its last successful run ended.
    pub last_success_at: Option<Timestamp>,
    /// How the runs of the last day ended, by hour.
    pub hours: RunHours,
}

impl Reader {
    /// The last moment at which the wall clock was trusted; if none is stored, the newest moment at
    /// which a row was recorded; none in a new store.
    ///
    /// # Errors
    /// When the database fails.
    pub fn trusted_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT CAST(value AS BIGINT) FROM meta WHERE key = 'trusted_at'";
        match self.sql().optional(sql, &[], |row| row.get(0))? {
            Some(trusted) => Ok(Some(trusted)),
            None => self.newest_moment(),
        }
    }

    /// The rules of the leader's configuration, in the daemon's format.
    ///
    /// # Errors
    /// When the database fails.
    pub fn rules(&self) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'rules'";
        self.sql().optional(sql, &[], |row| row.get(0))
    }

    fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        self.sql().one(
            "SELECT max(at) FROM (
                SELECT observed_at AS at FROM event WHERE seq = (SELECT event FROM head)
                UNION ALL SELECT 3600000000 * max(hour) FROM event_hour
                UNION ALL SELECT max(received_at) FROM delivery
                UNION ALL SELECT max(last_at) FROM poll) AS moments",
            &[],
            |row| row.get(0),
        )
    }

    /// How a job's last run ended; none before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn job_state(&self, job: &str) -> Result<Option<JobState>, StoreError> {
        let unknown = || StoreError::corrupt("job_state", job, Unreadable::Unknown("outcome"));
        self.sql().optional(
            "SELECT outcome, reason, asked, ok, not_found, failed, skipped,
                    since, last_begun_at, last_success_at, hours
             FROM job_state WHERE job = ?1",
            params![job],
            |row| {
                let counts = RunCounts {
                    asked: row.get(2)?,
                    ok: row.get(3)?,
                    not_found: row.get(4)?,
                    failed: row.get(5)?,
                    skipped: row.get(6)?,
                };
                let outcome = JobOutcome::parse(row.text(0)?).ok_or_else(unknown)?;
                Ok(JobState {
                    end: RunEnd { outcome, reason: row.get(1)?, counts },
                    since: row.get(7)?,
                    last_begun_at: row.get(8)?,
                    last_success_at: row.get(9)?,
                    hours: run_hours::decode(row.text(10)?)
                        .map_err(|error| StoreError::corrupt("job_state", job, error))?,
                })
            },
        )
    }

    /// When the last accepted delivery was received.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        // A delivery of `cii-exporter webhook test` proves nothing about the service. The unary
        // sign keeps SQLite from an index by status, with which it would sort all deliveries.
        self.sql().optional(
            "SELECT received_at FROM delivery WHERE +status = 200
             AND NOT (outcome = 'test' AND source IS NOT DISTINCT FROM 'cii-exporter')
             ORDER BY received_at DESC LIMIT 1",
            &[],
            |row| row.get(0),
        )
    }
}
