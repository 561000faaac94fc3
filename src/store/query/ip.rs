//! Watched addresses.

use rusqlite::OptionalExtension;

use super::{PollState, Reader};
use crate::{
    domain::{IpUsers, Timestamp},
    store::{
        StoreError, readable,
        row::{Moment, ip_users},
    },
};

/// All that is shown of a watched address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpView {
    /// Who uses it, unless there is no snapshot yet.
    pub users: Option<IpUsers>,
    /// New users since the first snapshot.
    pub new_users: u64,
    /// When the last new user was found.
    pub last_new_user_at: Option<Timestamp>,
    /// How the last question about it ended.
    pub poll: Option<PollState>,
}

impl Reader {
    /// All that is shown of an address, when it is watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ip(&self, ip: &str) -> Result<Option<IpView>, StoreError> {
        if !self.is_watched("ip", ip)? {
            return Ok(None);
        }
        let poll = self.poll_of("ip", ip)?;
        let snapshot = readable(self.shown_users(ip))?.flatten();
        let (users, new_users, last_new_user_at) = match snapshot {
            Some((users, new_users, at)) => (Some(users), new_users, at),
            None => (None, 0, None),
        };
        Ok(Some(IpView { users, new_users, last_new_user_at, poll }))
    }

    /// Who uses an address, how many new users there were, and when the last was found.
    fn shown_users(
        &self,
        ip: &str,
    ) -> Result<Option<(IpUsers, u64, Option<Timestamp>)>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT users, new_users, last_new_user_at FROM ip_snapshot WHERE ip = ?1",
            )?
            .query_row([ip], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, u64>(1)?,
                    row.get::<_, Option<Moment>>(2)?,
                ))
            })
            .optional()?;
        let Some((users, new_users, last_new_user_at)) = row else { return Ok(None) };
        let users = ip_users::decode(&users)
            .map_err(|error| StoreError::corrupt("ip_snapshot", ip, error))?;
        Ok(Some((users, new_users, last_new_user_at.map(Timestamp::from))))
    }
}
