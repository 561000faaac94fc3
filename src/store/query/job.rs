//! Scheduled jobs and webhook deliveries: when the last one went well.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Timestamp},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

/// How a job's last run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// How, why, and how its targets fared.
    pub end: RunEnd,
    /// Since when its runs end so.
    pub since: Timestamp,
    /// When its last run began.
    pub last_begun_at: Timestamp,
    /// When its last run that succeeded ended.
    pub last_success_at: Option<Timestamp>,
}

impl Reader {
    /// The last moment at which the wall clock was believed; where none is kept, the newest
    /// at which something was learnt; nothing in a new store.
    ///
    /// # Errors
    /// When the database fails.
    pub fn trusted_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let trusted: Option<Moment> = self
            .connection
            .query_row(
                "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'trusted_at'",
                [],
                |row| row.get(0),
            )
            .optional()?;
        match trusted {
            Some(trusted) => Ok(Some(trusted.0)),
            None => self.newest_moment(),
        }
    }

    fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let newest: Option<Moment> = self.connection.query_row(
            "SELECT max(at) FROM (
                SELECT max(observed_at) AS at FROM event
                UNION ALL SELECT max(received_at) FROM delivery
                UNION ALL SELECT max(last_at) FROM poll)",
            [],
            |row| row.get(0),
        )?;
        Ok(newest.map(Timestamp::from))
    }

    /// How a job's last run ended; nothing before its first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn job_state(&self, job: &str) -> Result<Option<JobState>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT outcome, reason, asked, ok, not_found, failed, skipped,
                    since, last_begun_at, last_success_at
             FROM job_state WHERE job = ?1",
        )?;
        let mut rows = select.query([job])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let outcome = JobOutcome::parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        let counts = RunCounts {
            asked: row.get(2)?,
            ok: row.get(3)?,
            not_found: row.get(4)?,
            failed: row.get(5)?,
            skipped: row.get(6)?,
        };
        Ok(Some(JobState {
            end: RunEnd {
                outcome: outcome.ok_or_else(|| {
                    StoreError::corrupt("job_state", job, Unreadable::Unknown("outcome"))
                })?,
                reason: row.get(1)?,
                counts,
            },
            since: row.get::<_, Moment>(7)?.0,
            last_begun_at: row.get::<_, Moment>(8)?.0,
            last_success_at: row.get::<_, Option<Moment>>(9)?.map(Timestamp::from),
        }))
    }

    /// When the last delivery that was taken came.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                // `cii-exporter webhook test` proves nothing about the service.
                // The sign keeps SQLite from an index by status, after which it would sort
                // every delivery.
                "SELECT received_at FROM delivery WHERE +status = 200
                 AND NOT (outcome = 'test' AND source IS 'cii-exporter')
                 ORDER BY received_at DESC LIMIT 1",
            )?
            .query_row([], |row| row.get::<_, Moment>(0))
            .optional()?
            .map(Timestamp::from))
    }
}
