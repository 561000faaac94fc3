//! Which secrets are needed by whoever loads the configuration.

use std::collections::BTreeMap;

use super::unit::Unit;

/// The secrets that are going to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "any kind of secret may be needed alone")]
pub struct Needs {
    api: bool,
    webhook: bool,
    people: bool,
    others: bool,
}

impl Needs {
    /// All of them, as the daemon does.
    pub const ALL: Self = Self { api: true, webhook: true, people: true, others: true };
    /// None but those of the database: it is read, or the daemon asked.
    pub const NOTHING: Self = Self { api: false, webhook: false, people: false, others: false };
    /// The API client's: the service is asked.
    pub const API: Self = Self { api: true, ..Self::NOTHING };
    /// What a sender of deliveries has.
    pub const WEBHOOK: Self = Self { webhook: true, ..Self::NOTHING };
    /// The key by which people are named: the database is read, and what it says is told. A
    /// hash with another key would be no pseudonym.
    pub const PEOPLE: Self = Self { people: true, ..Self::NOTHING };
    /// Both: a webhook target is registered.
    pub const API_AND_WEBHOOK: Self = Self { api: true, webhook: true, ..Self::NOTHING };

    /// Whether the secret of this setting is needed.
    pub(super) fn is_needed(self, path: &str) -> bool {
        match path.split_once('.') {
            Some(("api", _)) => self.api,
            Some(("webhook", _)) => self.webhook,
            Some(("metrics", _)) => self.people,
            // Every command reads the database, or writes to it.
            Some(("store", _)) => true,
            _ => self.others,
        }
    }

    /// Whether files besides secrets must be readable: those of TLS and users.
    pub(super) fn is_daemon(self) -> bool {
        self == Self::ALL
    }
}

/// What may be missing, and why.
#[derive(Debug, Clone)]
pub(super) struct Excuses {
    pub(super) needs: Needs,
    /// What runs the daemon, and gives secrets to it.
    pub(super) unit: Option<Unit>,
    /// Settings whose secrets the unit gives to the daemon and that cannot be read here, each
    /// with the reason.
    pub(super) withheld: BTreeMap<&'static str, String>,
    /// Whether nothing more than a note is made of that.
    pub(super) is_noted: bool,
}

impl Excuses {
    /// Nothing may be missing.
    pub(super) const NONE: Self =
        Self { needs: Needs::ALL, unit: None, withheld: BTreeMap::new(), is_noted: false };

    /// Whether the secret of this setting may be missing.
    pub(super) fn is_excused(&self, path: &str) -> bool {
        !self.needs.is_needed(path) || (self.is_noted && self.withheld.contains_key(path))
    }
}
