//! How asking about a watched subject ended.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{PollEnd, PollOutcome, Timestamp, WatchSubject, on_poll, poll::MAX_POLL_ERRORS},
    store::{Store, StoreError, moment::to_micros},
};

/// The end of a question about a subject, to record.
#[derive(Debug)]
pub struct RecordPoll {
    /// What was asked about.
    pub subject: WatchSubject,
    /// How it ended, and why.
    pub end: PollEnd,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Records how asking about a subject ended; returns how it ended the time
    /// before.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_poll(&self, record: RecordPoll) -> Result<Option<PollOutcome>, StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordPoll {
    type Outcome = Option<PollOutcome>;

    fn with(self, reply: Reply<Self::Outcome>) -> Write {
        Write::Poll(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<Self::Outcome, StoreError> {
        let Self { subject, mut end, at } = self;
        end.errors.truncate(MAX_POLL_ERRORS);
        let (kind, text) = (subject.kind(), subject.text());
        let before = tx
            .prepare_cached("SELECT outcome FROM poll WHERE kind = ?1 AND subject = ?2")?
            .query_row(params![kind, text], |row| row.get::<_, String>(0))
            .optional()?
            .map(|text| PollOutcome::parse(&text).ok_or(StoreError::Corrupt("poll outcome")))
            .transpose()?;
        if let Some(entry) = on_poll(&subject, before, &end, at) {
            event::append(tx, &entry)?;
        }
        let answered_at = (end.outcome == PollOutcome::Answered).then(|| to_micros(at));
        let errors = serde_json::to_string(&end.errors).map_err(|_| StoreError::Corrupt("poll"))?;
        tx.prepare_cached(
            "INSERT INTO poll (kind, subject, outcome, since, last_at, answered_at,
                               reason, errors, status)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (kind, subject) DO UPDATE SET
                since = iif(outcome = excluded.outcome, since, excluded.since),
                outcome = excluded.outcome,
                last_at = excluded.last_at,
                answered_at = coalesce(excluded.answered_at, answered_at),
                reason = excluded.reason,
                errors = excluded.errors,
                status = excluded.status",
        )?
        .execute(params![
            kind,
            text,
            end.outcome.as_str(),
            to_micros(at),
            answered_at,
            end.reason,
            errors,
            end.status,
        ])?;
        Ok(before)
    }
}
