//! How asking about a watched subject ended.

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{PollOutcome, Timestamp, WatchSubject, on_poll},
    store::{Store, StoreError, moment::to_micros},
};

/// The end of a question about a subject, to record.
#[derive(Debug)]
pub struct RecordPoll {
    /// What was asked about.
    pub subject: WatchSubject,
    /// How it ended.
    pub outcome: PollOutcome,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Records how asking about a subject ended.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_poll(&self, record: RecordPoll) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordPoll {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Poll(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let Self { subject, outcome, at } = self;
        let (kind, text) = (subject.kind(), subject.text());
        let before = tx
            .prepare_cached("SELECT outcome FROM poll WHERE kind = ?1 AND subject = ?2")?
            .query_row(params![kind, text], |row| row.get::<_, String>(0))
            .optional()?
            .map(|text| PollOutcome::parse(&text).ok_or(StoreError::Corrupt("poll outcome")))
            .transpose()?;
        if let Some(entry) = on_poll(&subject, before, outcome, at) {
            event::append(tx, &entry)?;
        }
        let answered_at = (outcome == PollOutcome::Answered).then(|| to_micros(at));
        tx.prepare_cached(
            "INSERT INTO poll (kind, subject, outcome, since, last_at, answered_at)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5)
             ON CONFLICT (kind, subject) DO UPDATE SET
                since = iif(outcome = excluded.outcome, since, excluded.since),
                outcome = excluded.outcome,
                last_at = excluded.last_at,
                answered_at = coalesce(excluded.answered_at, answered_at)",
        )?
        .execute(params![kind, text, outcome.as_str(), to_micros(at), answered_at])?;
        Ok(())
    }
}
