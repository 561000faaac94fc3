//! Checks and who fails them.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::{Severity, Timestamp},
    store::{
        StoreError,
        row::{Moment, texts},
    },
};

/// All that is shown of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckState {
    /// Its title for people.
    pub title: String,
    /// Its severity now.
    pub severity: Severity,
    /// Users who fail it now.
    pub failing: u64,
    /// When the exporter last learnt something of it.
    pub last_event_at: Timestamp,
    /// When a failure was last announced.
    pub last_failure_at: Option<Timestamp>,
    /// Failures that opened and were announced.
    pub failures: u64,
    /// Failures that ended.
    pub resolutions: u64,
}

/// A check in the tenant's words; empty when the service gave none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckAdvice {
    /// What it looks for, a sentence an item.
    pub description: Vec<String>,
    /// What the service advises to do.
    pub recommended_actions: Vec<String>,
}

impl Reader {
    /// The ids of all checks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_ids(&self) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT id FROM checks ORDER BY id", [])
    }

    /// All that is shown of a check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check(&self, id: &str) -> Result<Option<CheckState>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT title, severity, last_event_at, open, failures, resolutions,
                        last_failure_at FROM checks
                 WHERE id = ?1",
            )?
            .query_row([id], |row| {
                Ok(CheckState {
                    title: row.get(0)?,
                    severity: Severity::new(row.get::<_, Option<String>>(1)?.as_deref()),
                    last_event_at: row.get::<_, Moment>(2)?.0,
                    failing: row.get(3)?,
                    failures: row.get(4)?,
                    resolutions: row.get(5)?,
                    last_failure_at: row.get::<_, Option<Moment>>(6)?.map(Timestamp::from),
                })
            })
            .optional()?;
        Ok(row)
    }

    /// What a tenant says of a check: what it looks for, and what to do.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_advice(&self, id: &str) -> Result<CheckAdvice, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT description, recommended_actions FROM checks AS c
                 JOIN check_words AS w ON w.check_number = c.number AND w.version = c.version
                 WHERE c.id = ?1",
            )?
            .query_row([id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .optional()?;
        let Some((description, actions)) = row else { return Ok(CheckAdvice::default()) };
        let sentences = |json: &str| {
            texts::decode(json).map_err(|error| StoreError::corrupt("check_words", id, error))
        };
        Ok(CheckAdvice {
            description: sentences(&description)?,
            recommended_actions: sentences(&actions)?,
        })
    }
}
