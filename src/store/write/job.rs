//! How the runs of scheduled jobs ended.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{JobOutcome, Timestamp, on_run},
    store::{Store, StoreError, moment::to_micros},
};

/// The end of a job's run, to record.
#[derive(Debug)]
pub struct RecordRun {
    /// The job.
    pub job: &'static str,
    /// How its run ended.
    pub outcome: JobOutcome,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl Store {
    /// Records how a job's run ended.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_run(&self, record: RecordRun) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordRun {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Run(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let Self { job, outcome, begun_at, ended_at } = self;
        let before = tx
            .prepare_cached("SELECT outcome FROM job_state WHERE job = ?1")?
            .query_row([job], |row| row.get::<_, String>(0))
            .optional()?
            .map(|text| JobOutcome::parse(&text).ok_or(StoreError::Corrupt("job outcome")))
            .transpose()?;
        if let Some(entry) = on_run(job, before, outcome, ended_at) {
            event::append(tx, &entry)?;
        }
        let success_at = (outcome == JobOutcome::Succeeded).then(|| to_micros(ended_at));
        tx.prepare_cached(
            "INSERT INTO job_state (job, outcome, since, last_begun_at, last_success_at)
             VALUES (?1, ?2, ?4, ?3, ?5)
             ON CONFLICT (job) DO UPDATE SET
                since = iif(outcome = excluded.outcome, since, excluded.since),
                outcome = excluded.outcome,
                last_begun_at = excluded.last_begun_at,
                last_success_at = coalesce(excluded.last_success_at, last_success_at)",
        )?
        .execute(params![
            job,
            outcome.as_str(),
            to_micros(begun_at),
            to_micros(ended_at),
            success_at,
        ])?;
        Ok(())
    }
}
