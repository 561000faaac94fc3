//! Watched addresses.

use super::{PollState, Reader};
use crate::{
    domain::Timestamp,
    store::{StoreError, skip_unreadable},
};

/// The state of a watched address, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpView {
    /// The number of its users; none without a snapshot.
    pub users: Option<usize>,
    /// New users since the first snapshot.
    pub new_users: u64,
    /// When the last new user was found.
    pub last_new_user_at: Option<Timestamp>,
    /// When the service last answered.
    pub observed_at: Option<Timestamp>,
    /// How its last poll ended.
    pub poll: Option<PollState>,
}

impl Reader {
    /// The state of an address, as it is shown; none when it is not watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ip(&self, ip: &str) -> Result<Option<IpView>, StoreError> {
        if !self.is_watched("ip", ip)? {
            return Ok(None);
        }
        let poll = self.poll_of("ip", ip)?;
        let record = skip_unreadable(self.ip_record(ip))?.flatten();
        Ok(Some(IpView {
            users: record.as_ref().map(|record| record.users.len()),
            new_users: record.as_ref().map_or(0, |record| record.new_users),
            last_new_user_at: record.as_ref().and_then(|record| record.last_new_user_at),
            observed_at: record.as_ref().map(|record| record.observed_at),
            poll,
        }))
    }
}
