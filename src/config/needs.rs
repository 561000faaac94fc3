//! Which secrets the caller needs when it loads the configuration.

use std::collections::BTreeMap;

use super::unit::Unit;

/// The secrets that the caller will use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "any kind of secret may be needed alone")]
pub struct Needs {
    api: bool,
    webhook: bool,
    people: bool,
    others: bool,
}

impl Needs {
    /// All secrets, for the daemon.
    pub const ALL: Self = Self { api: true, webhook: true, people: true, others: true };
    /// Only those of the database, for commands that read it or send a request to the daemon.
    pub const NOTHING: Self = Self { api: false, webhook: false, people: false, others: false };
    /// The API client's secret, for requests to the service.
    pub const API: Self = Self { api: true, ..Self::NOTHING };
    /// The credentials of deliveries.
    pub const WEBHOOK: Self = Self { webhook: true, ..Self::NOTHING };
    /// The key of `metrics.user_label`, for commands that print users. With another key the
    /// pseudonyms would not match.
    pub const PEOPLE: Self = Self { people: true, ..Self::NOTHING };
    /// Both, to register a webhook target.
    pub const API_AND_WEBHOOK: Self = Self { api: true, webhook: true, ..Self::NOTHING };

    /// Whether the secret of this setting is needed.
    pub(super) fn is_needed(self, path: &str) -> bool {
        match path.split_once('.') {
            Some(("api", _)) => self.api,
            Some(("webhook", _)) => self.webhook,
            Some(("metrics", _)) => self.people,
            // All commands use the database.
            Some(("store", _)) => true,
            _ => self.others,
        }
    }

    /// Whether the caller is the daemon, which must also be able to read files of TLS and users.
    pub(super) fn is_daemon(self) -> bool {
        self == Self::ALL
    }
}

/// Which secrets may be missing, and why.
#[derive(Debug, Clone)]
pub(super) struct Excuses {
    pub(super) needs: Needs,
    /// The systemd unit of the daemon.
    pub(super) unit: Option<Unit>,
    /// Settings whose secrets the unit gives to the daemon and that cannot be read here, each with
    /// the reason.
    pub(super) withheld: BTreeMap<&'static str, String>,
    /// Whether this causes only a note, not an error.
    pub(super) is_noted: bool,
}

impl Excuses {
    /// No secret may be missing.
    pub(super) const NONE: Self =
        Self { needs: Needs::ALL, unit: None, withheld: BTreeMap::new(), is_noted: false };

    /// Whether the secret of this setting may be missing.
    pub(super) fn is_excused(&self, path: &str) -> bool {
        !self.needs.is_needed(path) || (self.is_noted && self.withheld.contains_key(path))
    }
}
