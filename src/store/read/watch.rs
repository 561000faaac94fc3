//! The watch list.

use super::Reader;
use crate::{
    domain::{IpAddress, Login},
    store::StoreError,
};

impl Reader {
    /// The users that are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_logins(&self) -> Result<Vec<Login>, StoreError> {
        self.watched("user")?
            .iter()
            .map(|text| Login::new(text).map_err(|_| StoreError::Corrupt("watch list entry")))
            .collect()
    }

    /// The users who fail a check and are not watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn unwatched_failing_logins(&self) -> Result<Vec<Login>, StoreError> {
        self.texts(
            "SELECT DISTINCT login FROM failure WHERE resolved_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login
             )",
            [],
        )?
        .iter()
        .map(|text| Login::new(text).map_err(|_| StoreError::Corrupt("login")))
        .collect()
    }

    /// The addresses that are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ips(&self) -> Result<Vec<IpAddress>, StoreError> {
        self.watched("ip")?
            .iter()
            .map(|text| text.parse().map_err(|_| StoreError::Corrupt("watch list entry")))
            .collect()
    }

    /// How many subjects of a kind (`user`, `ip`) are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_count(&self, kind: &str) -> Result<u64, StoreError> {
        self.count("SELECT subjects FROM watch_total WHERE kind = ?1", [kind])
    }

    pub(super) fn is_watched(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM watch WHERE kind = ?1 AND subject = ?2")?;
        Ok(statement.exists([kind, subject])?)
    }

    fn watched(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT DISTINCT subject FROM watch WHERE kind = ?1 ORDER BY subject", [kind])
    }
}
