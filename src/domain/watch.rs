//! What is watched, and why.

use std::fmt;

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr};

use super::{IpAddress, IpAddressError, Login, LoginError, Timestamp};

/// A user or an address that is polled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchSubject {
    /// A user, by login.
    User(Login),
    /// An address.
    Ip(IpAddress),
}

impl WatchSubject {
    /// The subject of this kind (`user`, `ip`) and text.
    ///
    /// # Errors
    /// When there is no such kind, or the text is no login or no single address.
    pub fn parse(kind: &str, text: &str) -> Result<Self, WatchSubjectError> {
        match kind {
            "user" => Ok(Self::User(Login::new(text)?)),
            "ip" => Ok(Self::Ip(text.parse()?)),
            _ => Err(WatchSubjectError::Kind(kind.to_owned())),
        }
    }

    /// `user` or `ip`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Ip(_) => "ip",
        }
    }

    /// The identity of the user, or the address in its one spelling: what is stored.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::User(login) => login.as_str().to_owned(),
            Self::Ip(ip) => ip.to_string(),
        }
    }
}

/// Writes the login in its spelling, or the address, for people.
impl fmt::Display for WatchSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(login) => login.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// Why something cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchSubjectError {
    /// Neither a user nor an address.
    #[error("{0:?} cannot be watched; expected \"user\" or \"ip\"")]
    Kind(String),
    /// No login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No single address.
    #[error(transparent)]
    Ip(#[from] IpAddressError),
}

/// Where an entry of the watch list came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum WatchSource {
    /// The configuration.
    Configuration,
    /// A webhook named the user as failing.
    Webhook,
    /// A command, or a request to the ops listener.
    Command,
}

impl WatchSource {
    /// The source as the store and people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The source of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// A reason to watch something, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchEntry {
    /// What is watched.
    pub subject: WatchSubject,
    /// Who says so.
    pub source: WatchSource,
    /// Since when.
    pub added_at: Timestamp,
    /// Until when; for ever when there is none.
    pub expires_at: Option<Timestamp>,
    /// Why, in an operator's words.
    pub note: Option<String>,
}

/// How a subject is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchStanding {
    /// The configuration, a command or the API put it on the watch list.
    Listed,
    /// A delivery named the user; nobody asked for more.
    Followed,
}

impl WatchStanding {
    /// The standing that these sources give; none where there is no source.
    #[must_use]
    pub fn of(sources: impl IntoIterator<Item = WatchSource>) -> Option<Self> {
        let standing = |source| match source {
            WatchSource::Configuration | WatchSource::Command => Self::Listed,
            WatchSource::Webhook => Self::Followed,
        };
        sources.into_iter().map(standing).min()
    }
}

/// Bytes of a note at most: why something is watched.
pub const MAX_NOTE_BYTES: usize = 1024;

/// For how long a followed user stays one after the last failure ended: a failure that
/// comes back is then seen with what happened in between.
const FOLLOWED_FOR: TimeDelta = TimeDelta::hours(24);

/// Until when a user is followed whose last failure ended, or who was named without one,
/// at this moment.
#[must_use]
pub fn follow_deadline(at: Timestamp) -> Timestamp {
    at + FOLLOWED_FOR
}

/// Whether users that webhooks name are followed, and of how many users snapshots are
/// taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchPolicy {
    /// Follow every user that a webhook names.
    pub failing_users: bool,
    /// List no more users than this, and take snapshots of no more: listed ones come
    /// first.
    pub max_users: usize,
    /// List no more addresses than this.
    pub max_ips: usize,
}

impl WatchPolicy {
    /// How many of a subject's kind may be listed.
    #[must_use]
    pub const fn limit_for(&self, subject: &WatchSubject) -> usize {
        match subject {
            WatchSubject::User(_) => self.max_users,
            WatchSubject::Ip(_) => self.max_ips,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_listed_for_any_reason_is_listed() {
        use WatchSource::{Command, Configuration, Webhook};
        assert_eq!(WatchStanding::of([]), None);
        assert_eq!(WatchStanding::of([Webhook]), Some(WatchStanding::Followed));
        for source in [Command, Configuration] {
            assert_eq!(WatchStanding::of([Webhook, source]), Some(WatchStanding::Listed));
        }
    }
}
