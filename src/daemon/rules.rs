//! What of the configuration can change while running.

use std::sync::Arc;

use crate::{
    clock,
    config::Config,
    domain::{CheckFilter, WatchPolicy, WatchSubject},
    ingest::{Admission, Rules},
    ledger::change::{ConfigureChecks, ConfigureWatch},
};

/// Who may deliver, and by which rules.
pub(super) fn admission(config: &Config, rules: Arc<Rules>) -> Admission {
    Admission { secrets: config.webhook.secrets.clone(), rules }
}

/// What decides over deliveries.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    let webhook = &config.webhook;
    Rules {
        header: webhook.header.clone(),
        filter: check_filter(config),
        policy: WatchPolicy {
            failing_users: config.watch.failing_users,
            max_users: config.watch.max_users,
        },
    }
}

/// What the configuration has watched, from now on.
pub(super) fn watch_list(config: &Config) -> ConfigureWatch {
    let users = config.watch.users.iter().cloned().map(WatchSubject::User);
    let ips = config.watch.ips.iter().copied().map(WatchSubject::Ip);
    ConfigureWatch { configured: users.chain(ips).collect(), at: clock::now() }
}

/// What the configuration says of checks, from now on.
pub(super) fn checks(config: &Config) -> ConfigureChecks {
    ConfigureChecks { configured: Arc::new(config.checks.clone()), at: clock::now() }
}

/// The checks the operator admits.
pub(super) fn check_filter(config: &Config) -> CheckFilter {
    CheckFilter::new(config.webhook.check_ids.iter().cloned())
}
