//! How polls of watched subjects ended.

use std::collections::HashMap;

use super::Reader;
use crate::{
    domain::{PollError, PollOutcome, Timestamp, WatchSubject},
    store::{
        StoreError,
        row::{Unreadable, poll_errors},
        sql::{Row, params},
    },
};

/// How the last poll of a subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollState {
    /// The outcome.
    pub outcome: PollOutcome,
    /// Since when polls end with this outcome.
    pub since: Timestamp,
    /// When the last poll ended.
    pub last_at: Timestamp,
    /// When the last poll with an answer ended.
    pub answered_at: Option<Timestamp>,
    /// The reason of the last poll's end, in words.
    pub reason: Option<String>,
    /// The service's errors in the last answer.
    pub errors: Vec<PollError>,
    /// The HTTP status of the last answer, if known.
    pub status: Option<u16>,
}

impl Reader {
    /// How the last poll of a subject ended; none before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn poll_state(&self, subject: &WatchSubject) -> Result<Option<PollState>, StoreError> {
        self.poll_of(subject.kind(), &subject.text())
    }

    /// How the last poll ended of a subject given by kind (`user`, `ip`) and canonical text.
    ///
    /// # Errors
    /// When the database fails.
    pub fn poll_of(&self, kind: &str, subject: &str) -> Result<Option<PollState>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM poll WHERE kind = ?1 AND subject = ?2");
        self.sql().optional(&sql, params![kind, subject], |row| state(kind, row))
    }

    /// How the last polls of many subjects of a kind ended, by subject.
    pub(super) fn polls_of(
        &self,
        kind: &str,
        subjects: &[&str],
    ) -> Result<HashMap<String, PollState>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM poll WHERE kind = ?1 AND subject IN rarray(?2)");
        let mut found = HashMap::new();
        self.sql().each(&sql, params![kind, subjects], |row| {
            found.insert(row.get(7)?, state(kind, row)?);
            Ok(())
        })?;
        Ok(found)
    }
}

const COLUMNS: &str = "outcome, since, last_at, answered_at, reason, errors, status, subject";

/// The poll's end from a row of [`COLUMNS`].
fn state(kind: &str, row: &Row<'_>) -> Result<PollState, StoreError> {
    let subject = row.text(7)?;
    let corrupt = |error| StoreError::corrupt("poll", &format!("{kind} {subject}"), error);
    Ok(PollState {
        outcome: PollOutcome::parse(row.text(0)?)
            .ok_or_else(|| corrupt(Unreadable::Unknown("outcome")))?,
        since: row.get(1)?,
        last_at: row.get(2)?,
        answered_at: row.get(3)?,
        reason: row.get(4)?,
        errors: poll_errors::decode(row.text(5)?).map_err(corrupt)?,
        status: row.get(6)?,
    })
}
