//! Watched users.

use rusqlite::OptionalExtension;

use super::{PollState, Reader};
use crate::{
    domain::{Timestamp, UserState},
    store::{
        StoreError, readable,
        row::{Moment, user_state},
    },
};

/// All that is shown of a watched user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Checks the user fails now.
    pub failing_checks: u64,
    /// The latest snapshot, unless there is none yet.
    pub snapshot: Option<UserState>,
    /// New addresses since the first snapshot.
    pub new_ips: u64,
    /// When the last new address was found.
    pub last_new_ip_at: Option<Timestamp>,
    /// How the last question about the user ended.
    pub poll: Option<PollState>,
}

impl Reader {
    /// All that is shown of a user, when the user is watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_user(&self, login: &str) -> Result<Option<UserView>, StoreError> {
        if !self.is_watched("user", login)? {
            return Ok(None);
        }
        let failing_checks =
            self.count("SELECT count(*) FROM failure WHERE login = ?1", [login])?;
        let poll = self.poll_of("user", login)?;
        let snapshot = readable(self.shown_snapshot(login))?.flatten();
        let (snapshot, new_ips, last_new_ip_at) = match snapshot {
            Some((state, new_ips, at)) => (Some(state), new_ips, at),
            None => (None, 0, None),
        };
        Ok(Some(UserView { failing_checks, snapshot, new_ips, last_new_ip_at, poll }))
    }

    /// The state of a user, how many new addresses there were, and when the last was
    /// found.
    fn shown_snapshot(
        &self,
        login: &str,
    ) -> Result<Option<(UserState, u64, Option<Timestamp>)>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT state, new_ips, last_new_ip_at FROM user_snapshot WHERE login = ?1",
            )?
            .query_row([login], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, u64>(1)?,
                    row.get::<_, Option<Moment>>(2)?,
                ))
            })
            .optional()?;
        let Some((state, new_ips, last_new_ip_at)) = row else { return Ok(None) };
        let state = user_state::decode(&state)
            .map_err(|error| StoreError::corrupt("user_snapshot", login, error))?;
        Ok(Some((state, new_ips, last_new_ip_at.map(Timestamp::from))))
    }
}
