//! The newest snapshots of subjects, watched or not.

use std::collections::HashMap;

use super::Reader;
use crate::{
    domain::{IpUser, Login, Timestamp, UserState},
    store::{
        StoreError,
        row::{
            ip_users,
            user_state::{self, NAME, STATUS},
        },
        sql::params,
    },
};

/// The name and the status of a user in a snapshot.
pub(super) type NameAndStatus = (Option<String>, Option<String>);

/// The snapshot of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The state in the last answer.
    pub state: UserState,
    /// When it first answered.
    pub first_observed_at: Timestamp,
    /// When it last answered.
    pub observed_at: Timestamp,
    /// New addresses since the first snapshot.
    pub new_ips: u64,
    /// When the last new address was found.
    pub last_new_ip_at: Option<Timestamp>,
    /// When the last address in a new country was found.
    pub last_new_country_at: Option<Timestamp>,
}

/// The snapshot of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpRecord {
    /// Who uses it, by login.
    pub users: Vec<IpRecordUser>,
    /// When the service first answered.
    pub first_observed_at: Timestamp,
    /// When it last answered.
    pub observed_at: Timestamp,
    /// New users since the first snapshot.
    pub new_users: u64,
    /// When the last new user was found.
    pub last_new_user_at: Option<Timestamp>,
}

/// A user of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpRecordUser {
    /// The user.
    pub login: Login,
    /// The service's data of the user.
    pub user: IpUser,
    /// Since when the user is seen there without interruption, as far as the exporter knows.
    pub since: Timestamp,
}

impl Reader {
    /// The snapshot of a user, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_record(&self, login: &str) -> Result<Option<UserRecord>, StoreError> {
        self.sql().optional(
            "SELECT state, first_observed_at, observed_at, new_ips, last_new_ip_at,
                last_new_country_at, form
             FROM user_snapshot WHERE login = ?1",
            params![login],
            |row| {
                Ok(UserRecord {
                    state: user_state::decode(row.get(6)?, row.text(0)?)
                        .map_err(|error| StoreError::corrupt("user_snapshot", login, error))?,
                    first_observed_at: row.get(1)?,
                    observed_at: row.get(2)?,
                    new_ips: row.get(3)?,
                    last_new_ip_at: row.get(4)?,
                    last_new_country_at: row.get(5)?,
                })
            },
        )
    }

    /// The name of a user and the status, from the snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub fn name_and_status(&self, login: &str) -> Result<Option<(String, String)>, StoreError> {
        let sql = format!(
            "SELECT coalesce({NAME}, ''), coalesce({STATUS}, '') FROM user_snapshot
             WHERE login = ?1"
        );
        self.sql().optional(&sql, params![login], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The names and statuses of many users, from their snapshots, by login.
    pub(super) fn names_and_statuses(
        &self,
        logins: &[&str],
    ) -> Result<HashMap<String, NameAndStatus>, StoreError> {
        let sql =
            format!("SELECT login, {NAME}, {STATUS} FROM user_snapshot WHERE login IN rarray(?1)");
        let found = self
            .sql()
            .all(&sql, params![logins], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        Ok(found.into_iter().collect())
    }

    /// The snapshot of an address, if there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ip_record(&self, ip: &str) -> Result<Option<IpRecord>, StoreError> {
        self.sql().optional(
            "SELECT users, first_observed_at, observed_at, new_users, last_new_user_at, form
             FROM ip_snapshot WHERE ip = ?1",
            params![ip],
            |row| {
                let first_observed_at = row.get(1)?;
                let users = ip_users::decode(row.get(5)?, row.text(0)?)
                    .map_err(|error| StoreError::corrupt("ip_snapshot", ip, error))?;
                let users = users.into_iter().map(|(login, user)| {
                    let since = user.since.unwrap_or(first_observed_at);
                    IpRecordUser { login, user, since }
                });
                Ok(IpRecord {
                    users: users.collect(),
                    first_observed_at,
                    observed_at: row.get(2)?,
                    new_users: row.get(3)?,
                    last_new_user_at: row.get(4)?,
                })
            },
        )
    }
}
