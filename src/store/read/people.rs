//! Who fails anything, and how bad it is: people, where `failing` has failures.

use rusqlite::Row;

use super::Reader;
use crate::{domain::Severity, store::StoreError};

impl Reader {
    /// The severities of the checks that a user fails, each once; empty when the
    /// user fails none. A check without a definition has no severity.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_severities(&self, login: &str) -> Result<Vec<Severity>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT DISTINCT c.severity FROM failure AS f
             LEFT JOIN check_definition AS c ON c.check_id = f.check_id
             WHERE f.login = ?1 AND f.resolved_at IS NULL",
        )?;
        let rows = select.query_map([login], |row| severity(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Hands each user who fails a check to `take`, once for each severity among
    /// the checks that the user fails.
    ///
    /// # Errors
    /// When the database fails.
    pub fn each_failing_severity(
        &self,
        mut take: impl FnMut(String, Severity),
    ) -> Result<(), StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT f.login, c.severity FROM failure AS f
             LEFT JOIN check_definition AS c ON c.check_id = f.check_id
             WHERE f.resolved_at IS NULL GROUP BY f.login, c.severity",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            take(row.get(0)?, severity(row, 1)?);
        }
        Ok(())
    }

    /// The users who fail a check, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn logins_failing(&self, check_id: &str) -> Result<Vec<String>, StoreError> {
        self.texts(
            "SELECT login FROM failure WHERE check_id = ?1 AND resolved_at IS NULL",
            [check_id],
        )
    }

    /// The severities of all checks, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn check_severities(&self) -> Result<Vec<(String, Severity)>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT check_id, severity FROM check_definition")?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, severity(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many users fail at least one check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_people(&self) -> Result<u64, StoreError> {
        self.count("SELECT count(DISTINCT login) FROM failure WHERE resolved_at IS NULL", [])
    }
}

fn severity(row: &Row<'_>, column: usize) -> rusqlite::Result<Severity> {
    Ok(Severity::new(row.get::<_, Option<String>>(column)?.as_deref()))
}
