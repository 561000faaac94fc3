//! Checks, and the users who fail them.

use super::Reader;
use crate::{
    domain::{
        Severity, Timestamp,
        failure::{Durations, Trend},
    },
    store::{
        StoreError,
        row::{durations, texts, trend},
        sql::params,
    },
};

/// The state of a check, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckState {
    /// Its title for people.
    pub title: String,
    /// Its severity now.
    pub severity: Severity,
    /// Users who fail it now.
    pub failing: u64,
    /// When the check last changed.
    pub last_event_at: Timestamp,
    /// When a failure was last announced.
    pub last_failure_at: Option<Timestamp>,
    /// The beginning of the oldest failure, as far as it is known.
    pub oldest_failure_at: Option<Timestamp>,
    /// The oldest among the last reports of its failures.
    pub oldest_report_at: Option<Timestamp>,
    /// Durations of ended failures, if known.
    pub durations: Durations,
    /// How many users failed it recently.
    pub trend: Trend,
    /// Failures that opened and were announced.
    pub failures: u64,
    /// Failures that ended.
    pub resolutions: u64,
}

/// The description and advice of a check; empty when the service gave none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckAdvice {
    /// What it looks for, a sentence an item.
    pub description: Vec<String>,
    /// The actions that the service recommends.
    pub recommended_actions: Vec<String>,
}

impl Reader {
    /// The ids of all checks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_ids(&self) -> Result<Vec<String>, StoreError> {
        self.sql().texts("SELECT id FROM checks WHERE is_hidden = 0 ORDER BY id", &[])
    }

    /// The ids of up to `limit` checks after this one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_ids_after(&self, id: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.sql().texts(
            "SELECT id FROM checks WHERE is_hidden = 0 AND id > ?1 ORDER BY id LIMIT ?2",
            params![id, i64::try_from(limit).unwrap_or(i64::MAX)],
        )
    }

    /// The ids of all checks, in the order in which they were created.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_ids_by_number(&self) -> Result<Vec<String>, StoreError> {
        self.sql().texts("SELECT id FROM checks WHERE is_hidden = 0 ORDER BY number", &[])
    }

    /// The state of a check, as it is shown.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check(&self, id: &str) -> Result<Option<CheckState>, StoreError> {
        let corrupt = |error| StoreError::corrupt("checks", id, error);
        self.sql().optional(
            "SELECT title, severity, last_event_at, open, failures, resolutions, last_failure_at,
                    durations, trend,
                    (SELECT min(opened_at) FROM failure WHERE check_number = number),
                    (SELECT min(reported_at) FROM failure WHERE check_number = number)
             FROM checks WHERE id = ?1 AND is_hidden = 0",
            params![id],
            |row| {
                Ok(CheckState {
                    title: row.get(0)?,
                    severity: Severity::new(row.get(1)?),
                    last_event_at: row.get(2)?,
                    failing: row.get(3)?,
                    failures: row.get(4)?,
                    resolutions: row.get(5)?,
                    last_failure_at: row.get(6)?,
                    durations: durations::decode(row.text(7)?).map_err(corrupt)?,
                    trend: trend::decode(row.text(8)?).map_err(corrupt)?,
                    oldest_failure_at: row.get(9)?,
                    oldest_report_at: row.get(10)?,
                })
            },
        )
    }

    /// The failures of a check that began before a moment, as far as is known: their number, and
    /// when the first later one began.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failures_before(
        &self,
        id: &str,
        moment: Timestamp,
    ) -> Result<(u64, Option<Timestamp>), StoreError> {
        // Uses the index failure_by_age: of the later failures, only the first is read.
        self.sql().one(
            "SELECT (SELECT count(*) FROM failure WHERE check_number = c.number AND opened_at < ?2),
                (SELECT min(opened_at) FROM failure
                 WHERE check_number = c.number AND opened_at >= ?2)
             FROM (SELECT (SELECT number FROM checks WHERE id = ?1) AS number) AS c",
            params![id, moment],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// What a check looks for, and the recommended actions.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_advice(&self, id: &str) -> Result<CheckAdvice, StoreError> {
        let sentences = |json: &str| {
            texts::decode(json).map_err(|error| StoreError::corrupt("check_words", id, error))
        };
        let advice = self.sql().optional(
            "SELECT description, recommended_actions FROM checks AS c
             JOIN check_words AS w ON w.check_number = c.number AND w.version = c.version
             WHERE c.id = ?1 AND c.is_hidden = 0",
            params![id],
            |row| {
                Ok(CheckAdvice {
                    description: sentences(row.text(0)?)?,
                    recommended_actions: sentences(row.text(1)?)?,
                })
            },
        )?;
        Ok(advice.unwrap_or_default())
    }
}
