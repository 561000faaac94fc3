//! Whether a removed person will be stored again.

use super::Reader;
use crate::{
    domain::{Login, WatchSource},
    store::{StoreError, sql::params},
};

/// The sources that still name a person who is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct PurgeStanding {
    /// Whether the service knew the person at the last poll, or named the person in a delivery.
    pub(in crate::store) is_known_to_service: bool,
    /// Whether the configuration names the person.
    pub(in crate::store) is_configured: bool,
}

impl Reader {
    pub(in crate::store) fn purge_standing(
        &self,
        login: &Login,
    ) -> Result<PurgeStanding, StoreError> {
        let identity = login.as_str();
        let exists = |sql: &str| self.sql().exists(sql, params![identity]);
        let is_listed = exists(
            "SELECT 1 FROM listing_member WHERE login = ?1
             AND listing IN (SELECT number FROM listing)",
        )?;
        let is_answered =
            exists("SELECT 1 FROM failure_answer WHERE login = ?1 AND unknown_since IS NULL")?;
        let is_failing = exists("SELECT 1 FROM failure WHERE login = ?1")?;
        let is_configured = self.sql().exists(
            "SELECT 1 FROM watch WHERE kind = 'user' AND subject = ?1 AND source = ?2",
            params![identity, WatchSource::Configuration.as_str()],
        )?;
        let is_known_to_service = is_listed || is_answered || is_failing;
        Ok(PurgeStanding { is_known_to_service, is_configured })
    }
}
