//! Logs the start: the version, the store, the schedules, and the parts that are off.

use crate::{
    build_info,
    config::{Config, StorePlace},
    store::Store,
};

/// Logs the start. Addresses are logged later, once the listeners are bound.
pub(super) fn log_start(config: &Config) {
    // A relative path would leave open in which folder the daemon runs.
    let absolute = match &config.store.place {
        StorePlace::File(path) => std::path::absolute(path).ok().map(StorePlace::File),
        StorePlace::Server(_) => None,
    };
    let store = absolute.as_ref().unwrap_or(&config.store.place);
    tracing::info!(
        version = build_info::VERSION,
        %store,
        schema = schema_name(&config.store.place),
        event_retention_days = config.store.retention_days.events,
        "starts"
    );
    if config.api.is_some() {
        let sync = &config.sync;
        tracing::info!(
            users = sync.users.schedule.pattern(),
            ips = sync.ips.schedule.pattern(),
            tenant = sync.tenant.as_ref().map(|job| job.schedule.pattern()),
            service = sync.service.as_ref().map(|job| job.schedule.pattern()),
            time_zone = sync.users.schedule.zone_name(),
            "the service is asked by these schedules"
        );
    }
    let off = disabled_parts(config);
    if !off.is_empty() {
        tracing::info!(off = off.join(", "), "not all is on");
    }
}

/// The schema of the tables on a server, where one is configured.
fn schema_name(place: &StorePlace) -> Option<&str> {
    match place {
        StorePlace::File(_) => None,
        StorePlace::Server(server) => server.schema.as_deref(),
    }
}

/// The parts that are off, each with the setting that turns it on.
fn disabled_parts(config: &Config) -> Vec<&'static str> {
    let has_api = config.api.is_some();
    [
        (!has_api, "asking the service ([api])"),
        (has_api && config.sync.tenant.is_none(), "listing the tenant (sync.tenant.enabled)"),
        (
            has_api && config.sync.service.is_none(),
            "looking at integrations and administrators (sync.service.enabled)",
        ),
        (!config.watch.failing_users, "following users whom deliveries name (watch.failing_users)"),
        (config.otlp.is_none(), "sending events by OTLP ([otlp])"),
        (
            config.store.retention_days.events.is_none(),
            "forgetting old events (store.retention_days)",
        ),
    ]
    .into_iter()
    .filter_map(|(is_off, what)| is_off.then_some(what))
    .collect()
}

/// Publishes the address for commands in the store's lock file.
pub(super) fn publish_address(store: &Store, address: &str) {
    if let Err(error) = store.announce(address) {
        tracing::warn!(%error, "commands beside this daemon will not find it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn of(text: &str) -> Vec<&'static str> {
        let text = format!("[webhook]\nsecrets = [\"s\"]\n{text}");
        disabled_parts(&Config::from_text("config.toml", &text, &Environment::default()).unwrap())
    }

    #[test]
    fn what_is_off_is_named_by_its_setting() {
        assert_eq!(of(""), ["asking the service ([api])", "sending events by OTLP ([otlp])"]);
        let api = "[api]\nurl = \"https://a\"\ntoken_url = \"https://a\"\nclient_id = \"a\"\n\
                   client_secret = \"b\"\n";
        let otlp = "[otlp]\nendpoint = \"http://127.0.0.1:4318\"\n";
        assert_eq!(of(&format!("{api}{otlp}")), [""; 0]);
        let off = "[sync.tenant]\nenabled = false\n[sync.service]\nenabled = false\n\
                   [watch]\nfailing_users = false\n[store]\nretention_days = 0\n";
        let off = of(&format!("{api}{otlp}{off}"));
        for setting in [
            "sync.tenant.enabled",
            "sync.service.enabled",
            "watch.failing_users",
            "store.retention",
        ] {
            assert!(off.iter().any(|what| what.contains(setting)), "{setting}: {off:?}");
        }
        assert_eq!(off.len(), 4);
    }
}
