//! The watch list: subjects, and why they are watched.

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
    /// Parses a subject from its kind (`user`, `ip`) and text.
    ///
    /// # Errors
    /// When there is no such kind, or the text is neither a login nor a single address.
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

    /// The user's identity, or the address in canonical form: the stored text.
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

/// Why a subject cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchSubjectError {
    /// The kind is neither `user` nor `ip`.
    #[error("{0:?} cannot be watched; expected \"user\" or \"ip\"")]
    Kind(String),
    /// The text is no login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The text is no single address.
    #[error(transparent)]
    Ip(#[from] IpAddressError),
}

/// The source of an entry of the watch list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum WatchSource {
    /// The configuration.
    Configuration,
    /// A webhook delivery named the user as failing.
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

/// An entry of the watch list, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchEntry {
    /// The watched subject.
    pub subject: WatchSubject,
    /// Why it is watched.
    pub source: WatchSource,
    /// Since when.
    pub added_at: Timestamp,
    /// When the entry expires; none when it never does.
    pub expires_at: Option<Timestamp>,
    /// The operator's note.
    pub note: Option<String>,
}

/// How a subject is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatchStanding {
    /// The configuration, a command or a request put it on the watch list.
    Listed,
    /// A delivery named the user, and there is no other reason.
    Followed,
}

impl WatchStanding {
    /// The standing from these sources; none without a source.
    #[must_use]
    pub fn of(sources: impl IntoIterator<Item = WatchSource>) -> Option<Self> {
        let standing = |source| match source {
            WatchSource::Configuration | WatchSource::Command => Self::Listed,
            WatchSource::Webhook => Self::Followed,
        };
        sources.into_iter().map(standing).min()
    }
}

/// Maximum bytes of a note.
pub const MAX_NOTE_BYTES: usize = 1024;

/// How long a user stays followed after the last failure ended. When the failure comes back, the
/// snapshots show what happened in between.
const FOLLOWED_FOR: TimeDelta = TimeDelta::hours(24);

/// Until when a user is followed whose last failure ended, or who was named without one, at this
/// moment.
#[must_use]
pub fn follow_deadline(at: Timestamp) -> Timestamp {
    at + FOLLOWED_FOR
}

/// Whether users that webhooks name are followed, and how many snapshots are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchPolicy {
    /// Whether every user that a webhook names is followed.
    pub failing_users: bool,
    /// The maximum number of listed users, and of users with snapshots; listed ones come first.
    pub max_users: usize,
    /// The maximum number of listed addresses.
    pub max_ips: usize,
}

impl WatchPolicy {
    /// The maximum number of listed subjects of this subject's kind.
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
