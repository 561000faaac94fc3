//! Spellings of logins.

use std::collections::HashMap;

use super::Reader;
use crate::{
    domain::Login,
    store::{
        StoreError,
        sql::{Param, params},
    },
};

impl Reader {
    /// The login with this identity, in the service's spelling, or in an operator's as long as the
    /// service has sent none.
    ///
    /// # Errors
    /// When the database fails, or the text is no login.
    pub fn login_in_spelling(&self, identity: &str) -> Result<Login, StoreError> {
        let sql = "SELECT spelling FROM login_spelling WHERE login = ?1";
        let login = parse_identity(identity)?;
        let spelling: Option<String> =
            self.sql().optional(sql, params![identity], |row| row.get(0))?;
        Ok(match spelling {
            Some(spelling) => login.with_spelling(&spelling),
            None => login,
        })
    }

    /// Many logins in their spellings.
    pub(super) fn logins_in_spelling(&self, identities: &[&str]) -> Result<Vec<Login>, StoreError> {
        let sql = "SELECT login, spelling FROM login_spelling WHERE login IN rarray(?1)";
        let mut spellings = HashMap::<String, String>::new();
        self.sql().each(sql, params![identities], |row| {
            spellings.insert(row.get(0)?, row.get(1)?);
            Ok(())
        })?;
        let spelled = |identity: &&str| {
            let login = parse_identity(identity)?;
            Ok(match spellings.get(*identity) {
                Some(spelling) => login.with_spelling(spelling),
                None => login,
            })
        };
        identities.iter().map(spelled).collect()
    }

    /// A login in the stored spelling, or as it was given if none is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub fn with_known_spelling(&self, login: Login) -> Result<Login, StoreError> {
        let is_known = self.sql().exists(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM failure WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM failure_answer WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM user_snapshot WHERE login = ?1)
             OR EXISTS (SELECT 1 FROM login_spelling WHERE login = ?1)",
            params![login.as_str()],
        )?;
        if is_known { self.login_in_spelling(login.as_str()) } else { Ok(login) }
    }

    /// Logins from a query with one column.
    pub(super) fn logins(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Login>, StoreError> {
        let identities = self.sql().texts(sql, params)?;
        let identities: Vec<_> = identities.iter().map(String::as_str).collect();
        self.logins_in_spelling(&identities)
    }
}

fn parse_identity(identity: &str) -> Result<Login, StoreError> {
    Login::new(identity).map_err(|error| StoreError::corrupt("login", identity, error))
}
