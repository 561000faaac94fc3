//! Open failures: which user fails which check, and since when.

use std::collections::{BTreeSet, HashMap};

use super::Reader;
use crate::{
    domain::{Login, Severity, Timestamp},
    store::{
        StoreError,
        row::{exchange, texts},
        sql::{Param, params},
    },
};

/// A user who fails a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingLogin {
    /// The user.
    pub login: Login,
    /// Since when, as far as the exporter knows.
    pub since: Timestamp,
    /// Whether a delivery dated the beginning; otherwise the failure is older than `since`.
    pub is_dated: bool,
    /// When the service last reported it.
    pub reported_at: Timestamp,
}

/// A range for the beginning of failures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BeginRange {
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
    /// Whether a delivery dated the beginning; otherwise the failure is older than `since`.
    pub is_dated: bool,
    /// When the service last reported it.
    pub reported_at: Timestamp,
}

impl Reader {
    /// The users who fail a check, ordered by login, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_logins(
        &self,
        check_id: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<FailingLogin>, StoreError> {
        let check = self.sql().optional(
            "SELECT number, open, (SELECT CAST(sum(open) AS BIGINT) FROM checks) FROM checks
             WHERE id = ?1 AND is_hidden = 0",
            params![check_id],
            |row| Ok((row.get::<i64>(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let Some((number, open, all)) = check else { return Ok(Vec::new()) };
        self.failing_rows(by_login(open, all), params![number, after, limit])
    }

    /// The users who fail a check, the oldest failure first, after `after`; only failures that
    /// began in the range, as far as is known.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_by_age(
        &self,
        check_id: &str,
        began: &BeginRange,
        after: Option<(Timestamp, &str)>,
        limit: usize,
    ) -> Result<Vec<FailingLogin>, StoreError> {
        let (at, login) = after.unwrap_or((Timestamp::MIN_UTC, ""));
        // Uses the index failure_by_age, which ends with the login.
        self.failing_rows(
            "SELECT login, opened_at, reported_at, is_dated FROM failure
             WHERE check_number = (SELECT number FROM checks WHERE id = ?1 AND is_hidden = 0)
             AND (opened_at, login) > (?2, ?3) AND opened_at >= ?4 AND opened_at < ?5
             ORDER BY opened_at, login LIMIT ?6",
            params![
                check_id,
                at.timestamp_micros(),
                login,
                began.since.map_or(i64::MIN, |since| since.timestamp_micros()),
                began.before.map_or(i64::MAX, |before| before.timestamp_micros()),
                limit,
            ],
        )
    }

    /// The users who fail a visible check, ordered by login, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn logins_that_fail(&self, after: &str, limit: usize) -> Result<Vec<Login>, StoreError> {
        // Failures are read in the order of logins; the unary sign keeps SQLite from using the
        // index by check.
        let logins: Vec<String> = self.sql().all(
            "SELECT DISTINCT login FROM failure
             WHERE login > ?1 AND +check_number IN (SELECT number FROM checks WHERE is_hidden = 0)
             ORDER BY login LIMIT ?2",
            params![after, limit],
            |row| row.get(0),
        )?;
        let identities: Vec<_> = logins.iter().map(String::as_str).collect();
        self.logins_in_spelling(&identities)
    }

    /// Users from rows of login, beginning, last report, and whether the beginning is dated.
    fn failing_rows(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<FailingLogin>, StoreError> {
        let rows = self.sql().all(sql, params, |row| {
            Ok((row.get::<String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        let identities: Vec<_> = rows.iter().map(|(login, ..)| login.as_str()).collect();
        let logins = self.logins_in_spelling(&identities)?.into_iter();
        let failing = logins.zip(&rows).map(|(login, &(_, since, reported_at, is_dated))| {
            FailingLogin { login, since, is_dated, reported_at }
        });
        Ok(failing.collect())
    }

    /// Since when at least one user has failed a check without interruption; `None` when no user
    /// fails it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_since(&self, check_id: &str) -> Result<Option<Timestamp>, StoreError> {
        self.sql().one(
            "SELECT min(opened_at) FROM failure
             WHERE check_number = (SELECT number FROM checks WHERE id = ?1 AND is_hidden = 0)",
            params![check_id],
            |row| row.get(0),
        )
    }

    /// The checks that a user fails, the oldest failure first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_checks(&self, login: &str) -> Result<Vec<FailingCheck>, StoreError> {
        self.sql().all(
            "SELECT c.id, c.title, c.severity, f.opened_at, f.reported_at, f.is_dated
             FROM failure AS f JOIN checks AS c ON c.number = f.check_number
             WHERE f.login = ?1 AND c.is_hidden = 0 ORDER BY f.opened_at, c.id",
            params![login],
            |row| {
                Ok(FailingCheck {
                    check_id: row.get(0)?,
                    title: row.get(1)?,
                    severity: Severity::new(row.get(2)?),
                    since: row.get(3)?,
                    reported_at: row.get(4)?,
                    is_dated: row.get(5)?,
                })
            },
        )
    }
}

impl Reader {
    /// The number of visible checks that a user fails.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_failing_checks(&self, login: &str) -> Result<u64, StoreError> {
        self.sql().count(
            "SELECT count(*) FROM failure JOIN checks ON number = check_number
             WHERE login = ?1 AND is_hidden = 0",
            params![login],
        )
    }

    /// The number of visible checks for many users; users without any are left out.
    pub(super) fn count_failing_checks_of(
        &self,
        logins: &[&str],
    ) -> Result<HashMap<String, u64>, StoreError> {
        let counted = self.sql().all(
            "SELECT login, count(*) FROM failure JOIN checks ON number = check_number
             WHERE login IN rarray(?1) AND is_hidden = 0 GROUP BY login",
            params![logins],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(counted.into_iter().collect())
    }

    /// Texts of the newest answer about a user that no check is known by for certain: a title that
    /// several checks share, or a text in the place of a title that disappeared.
    ///
    /// # Errors
    /// When the database fails.
    pub fn undecided_texts(&self, login: &str) -> Result<BTreeSet<String>, StoreError> {
        let corrupt = |error| StoreError::corrupt("failure_answer", login, error);
        let found = self.sql().optional(
            "SELECT shared_texts, exchange FROM failure_answer WHERE login = ?1",
            params![login],
            |row| {
                let shared = row.get::<Option<&str>>(0)?.map(texts::decode::<BTreeSet<String>>);
                let mut found = shared.transpose().map_err(corrupt)?.unwrap_or_default();
                if let Some(json) = row.get(1)? {
                    found.extend(exchange::decode(json).map_err(corrupt)?.texts);
                }
                Ok(found)
            },
        )?;
        Ok(found.unwrap_or_default())
    }
}

/// The statement that finds the users of a check, of which `open` fail it among `all` failures. For
/// a check that many users fail, reading the failures by login finds its users soon; for another
/// one, its few users are sorted. A unary sign before a number, or an empty text appended to a
/// text, keeps SQLite from the other plan.
const fn by_login(open: i64, all: i64) -> &'static str {
    const OFTEN: i64 = 50;
    if open.saturating_mul(OFTEN) >= all {
        "SELECT login, opened_at, reported_at, is_dated FROM failure
         WHERE +check_number = ?1 AND login > ?2 ORDER BY login LIMIT ?3"
    } else {
        "SELECT login, opened_at, reported_at, is_dated FROM failure
         WHERE check_number = ?1 AND login || '' > ?2 ORDER BY login LIMIT ?3"
    }
}
