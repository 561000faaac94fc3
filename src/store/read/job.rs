//! Scheduled jobs and webhook deliveries: when the last one went well.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::{JobOutcome, Timestamp},
    store::{StoreError, moment::from_micros},
};

/// How a job's last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobState {
    /// How.
    pub outcome: JobOutcome,
    /// Since when its runs end so.
    pub since: Timestamp,
    /// When its last run began.
    pub last_begun_at: Timestamp,
    /// When its last run that succeeded ended.
    pub last_success_at: Option<Timestamp>,
}

impl Reader {
    /// How a job's last run ended; nothing before its first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn job_state(&self, job: &str) -> Result<Option<JobState>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT outcome, since, last_begun_at, last_success_at FROM job_state
                 WHERE job = ?1",
            )?
            .query_row([job], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get::<_, Option<_>>(3)?,
                ))
            })
            .optional()?;
        let Some((outcome, since, last_begun_at, last_success_at)) = row else { return Ok(None) };
        Ok(Some(JobState {
            outcome: JobOutcome::parse(&outcome).ok_or(StoreError::Corrupt("job outcome"))?,
            since: from_micros(since)?,
            last_begun_at: from_micros(last_begun_at)?,
            last_success_at: last_success_at.map(from_micros).transpose()?,
        }))
    }

    /// When the last delivery was recorded.
    ///
    /// # Errors
    /// When the database fails.
    pub fn last_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.connection
            .prepare_cached("SELECT max(received_at) FROM delivery")?
            .query_row([], |row| row.get::<_, Option<i64>>(0))?
            .map(from_micros)
            .transpose()
    }
}
