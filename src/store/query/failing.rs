//! Failures that are open: who fails what, and since when.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row, Rows, params};

use super::Reader;
use crate::{
    domain::{Login, Severity, Timestamp},
    store::{
        StoreError,
        row::{Moment, exchange, texts},
    },
};

/// A user who fails a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingLogin {
    /// The user.
    pub login: Login,
    /// Since when, as far as the exporter knows.
    pub since: Timestamp,
    /// Whether a delivery told since when; else it was first seen then, and began before.
    pub is_dated: bool,
    /// When the service last said so.
    pub reported_at: Timestamp,
}

/// When failures began that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Began {
    /// At this moment or later.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub before: Option<Timestamp>,
}

/// A check that a user fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingCheck {
    /// The check's id.
    pub check_id: String,
    /// The check's title; its id when the service gave none.
    pub title: String,
    /// The check's severity now.
    pub severity: Severity,
    /// Since when, as far as the exporter knows.
    pub since: Timestamp,
    /// Whether a delivery told since when; else it was first seen then, and began before.
    pub is_dated: bool,
    /// When the service last said so.
    pub reported_at: Timestamp,
}

impl Reader {
    /// The users who fail a check, ordered by login, from the one after `after`
    /// on.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_logins(
        &self,
        check_id: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<FailingLogin>, StoreError> {
        let check = self
            .connection
            .prepare_cached(
                "SELECT number, open, (SELECT sum(open) FROM checks) FROM checks
                 WHERE id = ?1 AND NOT is_hidden",
            )?
            .query_row([check_id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((number, open, all)) = check else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(by_login(open, all))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query(params![number, after, limit])?;
        self.failing_rows(rows)
    }

    /// The users who fail a check, the longest first, from the one after `after` on: those of
    /// them who began at a moment of the range, as far as is known.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_by_age(
        &self,
        check_id: &str,
        began: &Began,
        after: Option<(Timestamp, &str)>,
        limit: usize,
    ) -> Result<Vec<FailingLogin>, StoreError> {
        // By the index failure_by_age, which ends with the login.
        let mut statement = self.connection.prepare_cached(
            "SELECT login, opened_at, reported_at, is_dated FROM failure
             WHERE check_number = (SELECT number FROM checks WHERE id = ?1 AND NOT is_hidden)
             AND (opened_at, login) > (?2, ?3) AND opened_at >= ?4 AND opened_at < ?5
             ORDER BY opened_at, login LIMIT ?6",
        )?;
        let (at, login) = after.unwrap_or((Timestamp::MIN_UTC, ""));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query(params![
            check_id,
            at.timestamp_micros(),
            login,
            began.since.map_or(i64::MIN, |since| since.timestamp_micros()),
            began.before.map_or(i64::MAX, |before| before.timestamp_micros()),
            limit
        ])?;
        self.failing_rows(rows)
    }

    /// Users from rows of login, beginning, last report and whether the beginning is told.
    fn failing_rows(&self, mut rows: Rows<'_>) -> Result<Vec<FailingLogin>, StoreError> {
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (since, reported_at) = moments(row, 1)?;
            let is_dated = row.get(3)?;
            let login = self.spelled(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
            found.push(FailingLogin { login, since, is_dated, reported_at });
        }
        Ok(found)
    }

    /// Since when somebody fails a check without a break; `None` when nobody does.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_since(&self, check_id: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT min(opened_at) FROM failure
                 WHERE check_number =
                    (SELECT number FROM checks WHERE id = ?1 AND NOT is_hidden)",
            )?
            .query_row([check_id], |row| row.get::<_, Option<Moment>>(0))?
            .map(Timestamp::from))
    }

    /// The checks that a user fails, the longest failing first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_checks(&self, login: &str) -> Result<Vec<FailingCheck>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT c.id, c.title, c.severity, f.opened_at, f.reported_at, f.is_dated
             FROM failure AS f JOIN checks AS c ON c.number = f.check_number
             WHERE f.login = ?1 AND NOT c.is_hidden ORDER BY f.opened_at, c.id",
        )?;
        let mut rows = statement.query([login])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (since, reported_at) = moments(row, 3)?;
            found.push(FailingCheck {
                check_id: row.get(0)?,
                title: row.get(1)?,
                severity: Severity::new(row.get::<_, Option<String>>(2)?.as_deref()),
                since,
                is_dated: row.get(5)?,
                reported_at,
            });
        }
        Ok(found)
    }
}

impl Reader {
    /// How many checks a user fails, of those that are shown.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_failing_checks(&self, login: &str) -> Result<u64, StoreError> {
        self.count(
            "SELECT count(*) FROM failure JOIN checks ON number = check_number
             WHERE login = ?1 AND NOT is_hidden",
            [login],
        )
    }

    /// Texts of the newest answer about a user that no check is known by for certain: a
    /// title that several checks share, or one in the place of a title that is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub fn undecided_texts(&self, login: &str) -> Result<BTreeSet<String>, StoreError> {
        let row = self
            .connection
            .prepare_cached("SELECT shared_texts, exchange FROM failure_answer WHERE login = ?1")?
            .query_row([login], |row| {
                Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?))
            })
            .optional()?;
        let (shared, exchanged) = row.unwrap_or_default();
        let corrupt = |error| StoreError::corrupt("failure_answer", login, error);
        let mut found = match shared {
            Some(json) => texts::decode(&json).map_err(corrupt)?,
            None => BTreeSet::new(),
        };
        if let Some(json) = exchanged {
            found.extend(exchange::decode(&json).map_err(corrupt)?.texts);
        }
        Ok(found)
    }
}

/// Finds the users of a check, of which `open` fail it among `all` failures. A check that
/// many fail is met often on the way through the logins; the few who fail another are
/// sorted. A sign before a column keeps SQLite from the other way.
const fn by_login(open: i64, all: i64) -> &'static str {
    const OFTEN: i64 = 50;
    if open.saturating_mul(OFTEN) >= all {
        "SELECT login, opened_at, reported_at, is_dated FROM failure
         WHERE +check_number = ?1 AND login > ?2 ORDER BY login LIMIT ?3"
    } else {
        "SELECT login, opened_at, reported_at, is_dated FROM failure
         WHERE check_number = ?1 AND +login > ?2 ORDER BY login LIMIT ?3"
    }
}

/// Since when, and when last reported, from two columns beside each other.
fn moments(row: &Row<'_>, first: usize) -> Result<(Timestamp, Timestamp), StoreError> {
    Ok((row.get::<_, Moment>(first)?.0, row.get::<_, Moment>(first + 1)?.0))
}
