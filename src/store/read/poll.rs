//! How asking about watched subjects ended.

use rusqlite::OptionalExtension;
use serde::Serialize;

use super::Reader;
use crate::{
    domain::{PollOutcome, Timestamp, WatchSubject},
    store::{StoreError, moment::from_micros},
};

/// How the last question about a subject ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PollState {
    /// How.
    pub outcome: PollOutcome,
    /// Since when questions end so.
    pub since: Timestamp,
    /// When the last one ended.
    pub last_at: Timestamp,
    /// When the last one that was answered ended.
    pub answered_at: Option<Timestamp>,
}

impl Reader {
    /// How the last question about a subject ended; nothing before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn poll_state(&self, subject: &WatchSubject) -> Result<Option<PollState>, StoreError> {
        self.poll(subject.kind(), &subject.text())
    }

    pub(super) fn poll(&self, kind: &str, subject: &str) -> Result<Option<PollState>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT outcome, since, last_at, answered_at FROM poll
                 WHERE kind = ?1 AND subject = ?2",
            )?
            .query_row([kind, subject], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get::<_, Option<_>>(3)?,
                ))
            })
            .optional()?;
        let Some((outcome, since, last_at, answered_at)) = row else { return Ok(None) };
        Ok(Some(PollState {
            outcome: PollOutcome::parse(&outcome).ok_or(StoreError::Corrupt("poll outcome"))?,
            since: from_micros(since)?,
            last_at: from_micros(last_at)?,
            answered_at: answered_at.map(from_micros).transpose()?,
        }))
    }
}
