//! How the runs of scheduled jobs ended.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Timestamp, on_run},
    store::{Store, StoreError, moment::to_micros},
};

/// The end of a job's run, to record.
#[derive(Debug)]
pub struct RecordRun {
    /// The job.
    pub job: &'static str,
    /// How its run ended.
    pub end: RunEnd,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl Store {
    /// Records how a job's run ended; returns how the run before it ended.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_run(&self, record: RecordRun) -> Result<Option<JobOutcome>, StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordRun {
    type Outcome = Option<JobOutcome>;

    fn with(self, reply: Reply<Self::Outcome>) -> Write {
        Write::Run(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<Self::Outcome, StoreError> {
        let Self { job, end, begun_at, ended_at } = self;
        let before = tx
            .prepare_cached("SELECT outcome FROM job_state WHERE job = ?1")?
            .query_row([job], |row| row.get::<_, String>(0))
            .optional()?
            .map(|text| JobOutcome::parse(&text).ok_or(StoreError::Corrupt("job outcome")))
            .transpose()?;
        if let Some(entry) = on_run(job, before, &end, ended_at) {
            event::append(tx, &entry)?;
        }
        let success_at = (end.outcome == JobOutcome::Succeeded).then(|| to_micros(ended_at));
        let RunCounts { asked, ok, not_found, failed, skipped } = end.counts;
        tx.prepare_cached(
            "INSERT INTO job_state (job, outcome, since, last_begun_at, last_success_at,
                                    reason, asked, ok, not_found, failed, skipped)
             VALUES (?1, ?2, ?4, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (job) DO UPDATE SET
                since = iif(outcome = excluded.outcome, since, excluded.since),
                outcome = excluded.outcome,
                last_begun_at = excluded.last_begun_at,
                last_success_at = coalesce(excluded.last_success_at, last_success_at),
                reason = excluded.reason,
                asked = excluded.asked,
                ok = excluded.ok,
                not_found = excluded.not_found,
                failed = excluded.failed,
                skipped = excluded.skipped",
        )?
        .execute(params![
            job,
            end.outcome.as_str(),
            to_micros(begun_at),
            to_micros(ended_at),
            success_at,
            end.reason,
            asked,
            ok,
            not_found,
            failed,
            skipped,
        ])?;
        Ok(before)
    }
}
