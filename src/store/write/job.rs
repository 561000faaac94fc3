//! When a scheduled job last succeeded.

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write};
use crate::{
    domain::Timestamp,
    store::{Store, StoreError, moment::to_micros},
};

/// A job's run ended well.
#[derive(Debug)]
pub(in crate::store) struct JobSucceeded {
    job: &'static str,
    at: Timestamp,
}

impl Store {
    /// Notes that a job's run ended well.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn job_succeeded(&self, job: &'static str, at: Timestamp) -> Result<(), StoreError> {
        self.write(JobSucceeded { job, at }).await
    }
}

impl Transact for JobSucceeded {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Job(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.prepare_cached("INSERT OR REPLACE INTO job_run (job, last_success_at) VALUES (?1, ?2)")?
            .execute(params![self.job, to_micros(self.at)])?;
        Ok(())
    }
}
