//! Derives the settings that can change while running from the configuration.

use std::sync::Arc;

use chrono::TimeDelta;

use super::shared_rules::SharedRules;
use crate::{
    clock,
    config::{Config, UserLabel},
    domain::{CheckFilter, WatchPolicy, WatchSubject},
    ingest::{Admission, Credentials, Rules, Sources},
    ledger::change::{AnswerRules, ConfigureChecks, ConfigureWatch, FilterChecks, KeepRules},
    metrics::{Scope, TenantListing},
    web::Access,
};

/// Credentials and networks of senders, with the rules for deliveries.
pub(super) fn admission(config: &Config, rules: Arc<Rules>) -> Admission {
    let webhook = &config.webhook;
    let basic = webhook.basic.as_ref().map(|basic| (basic.user.clone(), basic.passwords.clone()));
    Admission {
        credentials: Credentials {
            secrets: webhook.secrets.clone(),
            basic,
            bearer: webhook.bearer.clone(),
            has_users: webhook
                .web_config
                .as_ref()
                .is_some_and(|file| !file.config.users.is_empty()),
        },
        sources: Sources {
            allow_from: webhook.allow_from.clone(),
            trusted_proxies: webhook.trusted_proxies.clone(),
        },
        rules,
    }
}

/// The access rules of the ops listener.
pub(super) fn access(config: &Config) -> Access {
    let ops = &config.ops;
    let public_host = ops.public_url.as_ref().and_then(|url| url.host_str());
    // The guard compares host names without the trailing dot.
    let public_host = public_host.map(|host| host.strip_suffix('.').unwrap_or(host));
    Access {
        hosts: ops.hosts.iter().cloned().chain(public_host.map(str::to_lowercase)).collect(),
        public_origin: ops.public_url.as_ref().map(|url| url.origin().ascii_serialization()),
        read_only: ops.read_only,
        write_tokens: ops.write_tokens.clone(),
    }
}

/// The public URL of the pages without its trailing slash, so that a path can be appended.
pub(super) fn public_url(config: &Config) -> Option<&str> {
    config.ops.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/'))
}

/// The rules for deliveries.
#[must_use]
pub fn rules(config: &Config) -> Rules {
    let webhook = &config.webhook;
    Rules {
        header: webhook.header.clone(),
        filter: check_filter(config),
        policy: watch_policy(config),
        answers: AnswerRules { has_api: config.api.is_some(), settle: settle_time(config) },
    }
}

/// Whether the log may name users: only where metrics name them, too.
pub(super) fn may_name_users(config: &Config) -> bool {
    matches!(config.metrics.user_label, UserLabel::Login)
}

/// Whether failing users are followed, and how many users have snapshots.
pub(super) fn watch_policy(config: &Config) -> WatchPolicy {
    WatchPolicy {
        failing_users: config.watch.failing_users,
        max_users: config.watch.max_users,
        max_ips: config.watch.max_ips,
    }
}

/// The scope of the metrics. API, listing and OTLP change only with a restart; the caller keeps
/// their values of the start.
pub(super) fn scope(config: &Config) -> Scope {
    let listing = match (&config.api, &config.sync.tenant) {
        (None, _) => TenantListing::NoApi,
        (Some(_), None) => TenantListing::Off,
        (Some(_), Some(_)) => TenantListing::On,
    };
    Scope {
        backlog: config.otlp.is_some(),
        tenant_name: config.tenant.name.clone(),
        listing,
        user_series: config.metrics.user_series,
        user_label: config.metrics.user_label.clone(),
        max_users: config.watch.max_users,
        max_checks: config.metrics.max_checks,
        objectives: Arc::new(config.objectives.clone()),
    }
}

/// The change that stores the configured watch list.
pub(super) fn watch_list(config: &Config) -> ConfigureWatch {
    let users = config.watch.users.iter().cloned().map(WatchSubject::User);
    let ips = config.watch.ips.iter().copied().map(WatchSubject::Ip);
    ConfigureWatch { configured: users.chain(ips).collect(), at: clock::now() }
}

/// The change that stores the configured checks.
pub(super) fn configured_checks(config: &Config) -> ConfigureChecks {
    ConfigureChecks { configured: Arc::new(config.checks.clone()), at: clock::now() }
}

/// The change that applies the filter to the stored checks.
pub(super) fn shown_checks(config: &Config) -> FilterChecks {
    FilterChecks { filter: check_filter(config) }
}

/// The change that stores the rules for the other replicas.
pub(super) fn shared_rules(config: &Config) -> KeepRules {
    KeepRules { text: SharedRules::from_config(config).encode() }
}

/// For how long after its publication no answer ends a failure.
pub(super) fn settle_time(config: &Config) -> TimeDelta {
    TimeDelta::from_std(config.sync.settle).unwrap_or(TimeDelta::MAX)
}

/// The filter of checks (`webhook.check_ids`).
pub(super) fn check_filter(config: &Config) -> CheckFilter {
    CheckFilter::new(config.webhook.check_ids.iter().cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn the_host_of_the_public_url_is_a_name_of_the_listener() {
        for host in ["cii.example.com", "CII.example.com.", "cii.example.com:8443"] {
            let text =
                format!("[webhook]\nsecrets = [\"s\"]\n[ops]\npublic_url = \"https://{host}/\"\n");
            let config = Config::from_text("", &text, &Environment::default()).unwrap();
            assert!(access(&config).hosts.contains("cii.example.com"), "{host}");
        }
    }
}
