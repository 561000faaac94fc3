//! What is watched, and why.

use std::fmt;

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

/// Whether users that webhooks name are watched, and how many users at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchPolicy {
    /// Watch every user that a webhook names.
    pub failing_users: bool,
    /// Watch no more users than this.
    pub max_users: usize,
}

impl WatchPolicy {
    /// How many of the users that a webhook named for the first time can still
    /// be watched, when `watched` are already.
    #[must_use]
    pub const fn room(self, watched: usize) -> usize {
        if self.failing_users { self.max_users.saturating_sub(watched) } else { 0 }
    }
}
