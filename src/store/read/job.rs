//! Scheduled jobs and webhook deliveries: when the last one went well.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::Timestamp,
    store::{StoreError, moment::from_micros},
};

impl Reader {
    /// When a job last succeeded.
    ///
    /// # Errors
    /// When the database fails.
    pub fn job_last_success(&self, job: &str) -> Result<Option<Timestamp>, StoreError> {
        self.connection
            .prepare_cached("SELECT last_success_at FROM job_run WHERE job = ?1")?
            .query_row([job], |row| row.get(0))
            .optional()?
            .map(from_micros)
            .transpose()
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
