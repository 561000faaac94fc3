//! The rules that all replicas share: those of the leader's configuration.
//!
//! A delivery must have the same effect whichever replica receives it. So the leader stores the
//! rules for deliveries and for what is shown, and the others use them instead of their own.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    config::Config,
    domain::{CheckId, Objectives},
};

/// The rules, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SharedRules {
    check_ids: BTreeSet<String>,
    failing_users: bool,
    max_users: usize,
    max_ips: usize,
    /// Objectives in seconds, by severity.
    objectives: BTreeMap<String, i64>,
    objectives_except: BTreeSet<String>,
    /// The parts that the leader runs: a replica without one of them would not continue it after a
    /// takeover. Missing in the rules of older versions.
    #[serde(default)]
    duties: BTreeMap<String, bool>,
    /// Digests of what the leader stores itself, such as the watch list, for comparison: it can be
    /// long, and names users.
    digests: BTreeMap<String, String>,
}

impl SharedRules {
    /// The rules of a configuration.
    pub(super) fn from_config(config: &Config) -> Self {
        let watch = &config.watch;
        let users = watch.users.iter().map(ToString::to_string);
        let ips = watch.ips.iter().map(ToString::to_string);
        let checks = config.checks.iter().map(|(name, words)| format!("{name}: {words:?}"));
        let digests = [
            ("watch.users", digest(users)),
            ("watch.ips", digest(ips)),
            ("checks", digest(checks)),
        ];
        let has_api = config.api.is_some();
        let duties = [
            ("otlp", config.otlp.is_some()),
            ("api", has_api),
            ("sync.tenant.enabled", has_api && config.sync.tenant.is_some()),
            ("sync.service.enabled", has_api && config.sync.service.is_some()),
        ];
        let objectives = config.objectives.by_severity();
        Self {
            duties: duties.map(|(key, is_done)| (key.to_owned(), is_done)).into(),
            check_ids: config.webhook.check_ids.iter().map(ToString::to_string).collect(),
            failing_users: watch.failing_users,
            max_users: watch.max_users,
            max_ips: watch.max_ips,
            objectives: objectives
                .map(|(severity, limit)| (severity.to_owned(), limit.num_seconds()))
                .collect(),
            objectives_except: config
                .objectives
                .excepted_checks()
                .map(ToString::to_string)
                .collect(),
            digests: digests.map(|(key, digest)| (key.to_owned(), digest)).into(),
        }
    }

    /// Encodes the rules for the store.
    pub(super) fn encode(&self) -> String {
        // Cannot fail: all map keys are strings.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Decodes stored rules; `None` for those of an incompatible newer version.
    pub(super) fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The settings whose values differ from the other rules.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let slo = self.objectives != other.objectives
            || self.objectives_except != other.objectives_except;
        let settings = [
            ("webhook.check_ids", self.check_ids != other.check_ids),
            ("watch.failing_users", self.failing_users != other.failing_users),
            ("watch.max_users", self.max_users != other.max_users),
            ("watch.max_ips", self.max_ips != other.max_ips),
            ("slo", slo),
        ];
        let settings = settings.into_iter().filter(|(_, differs)| *differs);
        let mut different: Vec<_> = settings.map(|(key, _)| key.to_owned()).collect();
        let digests =
            self.digests.iter().filter(|(key, own)| other.digests.get(*key) != Some(*own));
        different.extend(digests.map(|(key, _)| key.clone()));
        let duties = self.duties.iter().filter(|(key, own)| other.duties.get(*key) != Some(*own));
        different.extend(duties.map(|(key, _)| key.clone()));
        different
    }

    /// Returns the configuration with these rules.
    pub(super) fn apply_to(&self, config: &Config) -> Config {
        let mut config = config.clone();
        let ids = |texts: &BTreeSet<String>| -> BTreeSet<CheckId> {
            texts.iter().filter_map(|id| CheckId::new(id)).collect()
        };
        config.webhook.check_ids = ids(&self.check_ids);
        config.watch.failing_users = self.failing_users;
        config.watch.max_users = self.max_users;
        config.watch.max_ips = self.max_ips;
        let limit = |(severity, seconds): (&String, &i64)| {
            Some((severity.clone(), TimeDelta::try_seconds(*seconds)?))
        };
        config.objectives =
            Objectives::new(self.objectives.iter().filter_map(limit), ids(&self.objectives_except));
        config
    }
}

/// A digest of texts; their order matters.
fn digest(texts: impl Iterator<Item = String>) -> String {
    let mut sha = Sha256::new();
    for text in texts {
        sha.update(text.len().to_be_bytes());
        sha.update(text);
    }
    base64::engine::general_purpose::STANDARD.encode(sha.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn config(more: &str) -> Config {
        let text = format!("[webhook]\nsecrets = [\"s\"]\n{more}\n");
        Config::from_text("", &text, &Environment::default()).unwrap()
    }

    #[test]
    fn who_follows_goes_by_the_leaders_rules_and_tells_where_its_own_differ() {
        let leader = config(
            "check_ids = [\"no-mfa\"]\n[watch]\nusers = [\"ada@example.com\"]\nmax_users = 7\n\
             [slo]\nlow = \"9d\"",
        );
        let follower = config("[watch]\nusers = [\"bob@example.com\"]");
        let (shared, own) =
            (SharedRules::from_config(&leader), SharedRules::from_config(&follower));
        assert_eq!(
            shared.differences(&own),
            ["webhook.check_ids", "watch.max_users", "slo", "watch.users"]
        );
        let shared = SharedRules::decode(&shared.encode()).unwrap();
        let in_force = shared.apply_to(&follower);
        assert_eq!(in_force.webhook.check_ids, leader.webhook.check_ids);
        assert_eq!(in_force.watch.max_users, 7);
        assert_eq!(in_force.objectives, leader.objectives);
        assert_eq!(in_force.watch.users, follower.watch.users, "the leader watches its own");
        assert!(shared.differences(&SharedRules::from_config(&leader)).is_empty());
        assert!(!shared.encode().contains("ada"), "nobody is named");
        assert_eq!(SharedRules::decode("{\"newer\":1}"), None);
    }

    #[test]
    fn a_replica_without_what_the_leader_does_says_so() {
        let leader = config(
            "[otlp]\nendpoint = \"http://127.0.0.1:1/v1/logs\"\n[api]\nurl = \"https://a/\"\n\
             token_url = \"https://b/\"\nclient_id = \"c\"\nclient_secret = \"d\"",
        );
        let (shared, own) =
            (SharedRules::from_config(&leader), SharedRules::from_config(&config("")));
        let missing = ["api", "otlp", "sync.service.enabled", "sync.tenant.enabled"];
        assert_eq!(shared.differences(&own), missing);
        // What an older exporter keeps does not say what it does.
        let text = shared.encode();
        let (before, after) = text.split_once("\"duties\"").unwrap();
        let older = format!("{before}{}", after.split_once("},").unwrap().1);
        assert!(SharedRules::decode(&older).unwrap().differences(&own).is_empty());
    }
}
