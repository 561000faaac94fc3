//! Watched users.

use super::{PollState, Reader};
use crate::{
    domain::{Timestamp, UserState, WatchStanding, poll::is_confirmed_unknown},
    store::{StoreError, skip_unreadable},
};

/// The state of a watched user, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Whether the user is listed, or only followed.
    pub standing: WatchStanding,
    /// Checks the user fails now.
    pub failing_checks: u64,
    /// The newest snapshot, if there is one.
    pub snapshot: Option<UserState>,
    /// New addresses since the first snapshot.
    pub new_ips: u64,
    /// When the last new address was found.
    pub last_new_ip_at: Option<Timestamp>,
    /// When the last address in a new country was found.
    pub last_new_country_at: Option<Timestamp>,
    /// When the service last answered.
    pub observed_at: Option<Timestamp>,
    /// How the user's last poll ended.
    pub poll: Option<PollState>,
}

impl UserView {
    /// The snapshot, unless the user is deleted in the tenant, or has been unknown to the service
    /// for longer than the grace.
    #[must_use]
    pub fn current_snapshot(&self) -> Option<&UserState> {
        let is_unknown = self.poll.as_ref().is_some_and(|poll| {
            is_confirmed_unknown(Some((poll.outcome, poll.since)), poll.last_at)
        });
        self.snapshot.as_ref().filter(|state| !is_unknown && !state.is_deleted())
    }

    /// The same user without the results of polls.
    #[must_use]
    pub fn without_polls(self) -> Self {
        Self { snapshot: None, poll: None, ..self }
    }
}

impl Reader {
    /// The state of a user with this standing, as it is shown.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_user(
        &self,
        login: &str,
        standing: WatchStanding,
    ) -> Result<UserView, StoreError> {
        let failing_checks = self.count_failing_checks(login)?;
        let poll = self.poll_of("user", login)?;
        let record = skip_unreadable(self.user_record(login))?.flatten();
        Ok(UserView {
            standing,
            failing_checks,
            new_ips: record.as_ref().map_or(0, |record| record.new_ips),
            last_new_ip_at: record.as_ref().and_then(|record| record.last_new_ip_at),
            last_new_country_at: record.as_ref().and_then(|record| record.last_new_country_at),
            observed_at: record.as_ref().map(|record| record.observed_at),
            snapshot: record.map(|record| record.state),
            poll,
        })
    }
}
