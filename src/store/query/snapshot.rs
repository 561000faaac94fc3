//! The latest snapshots, watched still or not.

use rusqlite::OptionalExtension;

use super::Reader;
use crate::{
    domain::{IpUser, Login, Timestamp, UserState},
    store::{
        StoreError,
        row::{Moment, ip_users, user_state},
    },
};

/// The snapshot of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// What the service last answered.
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
    /// What the service says of the user.
    pub user: IpUser,
    /// Since when the user is seen there without a break, as far as the exporter knows.
    pub since: Timestamp,
}

impl Reader {
    /// The snapshot of a user, unless there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn user_record(&self, login: &str) -> Result<Option<UserRecord>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT state, first_observed_at, observed_at, new_ips, last_new_ip_at,
                    last_new_country_at
                 FROM user_snapshot WHERE login = ?1",
            )?
            .query_row([login], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Moment>(1)?,
                    row.get::<_, Moment>(2)?,
                    row.get::<_, u64>(3)?,
                    row.get::<_, Option<Moment>>(4)?,
                    row.get::<_, Option<Moment>>(5)?,
                ))
            })
            .optional()?;
        let Some((state, first, last, new_ips, last_new_ip_at, last_new_country_at)) = row else {
            return Ok(None);
        };
        Ok(Some(UserRecord {
            state: user_state::decode(&state)
                .map_err(|error| StoreError::corrupt("user_snapshot", login, error))?,
            first_observed_at: first.0,
            observed_at: last.0,
            new_ips,
            last_new_ip_at: last_new_ip_at.map(Timestamp::from),
            last_new_country_at: last_new_country_at.map(Timestamp::from),
        }))
    }

    /// What the service calls a user, and the status that it gave, as far as it was asked.
    ///
    /// # Errors
    /// When the database fails.
    pub fn name_and_status(&self, login: &str) -> Result<Option<(String, String)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT coalesce(state ->> '$.display_name', ''), coalesce(state ->> '$.status', '')
             FROM user_snapshot WHERE login = ?1",
        )?;
        Ok(select.query_row([login], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// The snapshot of an address, unless there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ip_record(&self, ip: &str) -> Result<Option<IpRecord>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT users, first_observed_at, observed_at, new_users, last_new_user_at
                 FROM ip_snapshot WHERE ip = ?1",
            )?
            .query_row([ip], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, Moment>(1)?,
                    row.get::<_, Moment>(2)?,
                    row.get::<_, u64>(3)?,
                    row.get::<_, Option<Moment>>(4)?,
                ))
            })
            .optional()?;
        let Some((users, first, last, new_users, last_new_user_at)) = row else {
            return Ok(None);
        };
        let first_observed_at = first.0;
        let users = ip_users::decode(&users)
            .map_err(|error| StoreError::corrupt("ip_snapshot", ip, error))?;
        let users = users
            .into_iter()
            .map(|(login, user)| {
                let since = user.since.unwrap_or(first_observed_at);
                IpRecordUser { login, user, since }
            })
            .collect();
        Ok(Some(IpRecord {
            users,
            first_observed_at,
            observed_at: last.0,
            new_users,
            last_new_user_at: last_new_user_at.map(Timestamp::from),
        }))
    }
}
