//! Applications over all watched users.

use super::Reader;
use crate::store::StoreError;

/// How many watched users have an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplicationUse {
    /// Those who did not use it in the past 30 days.
    pub unused: u64,
    /// Those who did.
    pub used: u64,
}

impl Reader {
    /// The applications of all snapshots.
    ///
    /// # Errors
    /// When the database fails.
    pub fn application_names(&self) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT DISTINCT application FROM user_application", [])
    }

    /// The applications of a user's snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub fn applications_of(&self, login: &str) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT application FROM user_application WHERE login = ?1", [login])
    }

    /// How many watched users have an application.
    ///
    /// # Errors
    /// When the database fails.
    pub fn application_use(&self, name: &str) -> Result<ApplicationUse, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FILTER (WHERE used = 0), count(*) FILTER (WHERE used = 1)
             FROM user_application AS a
             WHERE application = ?1 AND EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = a.login
             )",
        )?;
        Ok(statement.query_row([name], |row| {
            Ok(ApplicationUse { unused: row.get(0)?, used: row.get(1)? })
        })?)
    }
}
