//! How logins are spelled.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{domain::Login, store::StoreError};

impl Reader {
    /// The login with this identity, in the service's spelling, or that of an operator
    /// while the service has none.
    ///
    /// # Errors
    /// When the database fails, or the text is no login.
    pub fn spelled(&self, identity: &str) -> Result<Login, StoreError> {
        let login =
            Login::new(identity).map_err(|error| StoreError::corrupt("login", identity, error))?;
        let spelling: Option<String> = self
            .connection
            .prepare_cached("SELECT spelling FROM login_spelling WHERE login = ?1")?
            .query_row([login.as_str()], |row| row.get(0))
            .optional()?;
        Ok(match spelling {
            Some(spelling) => login.spelled_as(&spelling),
            None => login,
        })
    }

    /// A login in the spelling that is kept, or as it was given while nothing is known of
    /// the user.
    ///
    /// # Errors
    /// When the database fails.
    pub fn spelled_if_known(&self, login: Login) -> Result<Login, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM failure WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM failure_answer WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM user_snapshot WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM login_spelling WHERE login = ?1)",
        )?;
        if select.exists([login.as_str()])? { self.spelled(login.as_str()) } else { Ok(login) }
    }

    /// Logins that a query of one column gives.
    pub(super) fn logins(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<Login>, StoreError> {
        self.texts(sql, params)?.iter().map(|identity| self.spelled(identity)).collect()
    }
}
