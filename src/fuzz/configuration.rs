//! Checks the configuration file.

use secrecy::ExposeSecret;

use crate::{
    config::{Config, Environment},
    domain::{Schedule, Timestamp},
};

/// A secret. In settings that hold secrets, it must never be shown.
const SECRET: &str = "s3cret-of-the-file";

/// A moment in 2026, after which schedules are asked for their next run.
const NOW: i64 = 1_764_072_000;

/// Maximum bytes of an error per byte of the file. Errors list the valid values, whatever the file
/// contains.
const GROWTH: usize = 400;

pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // The files that it names would be read, and a device may never end.
    if text.contains("_file") || text.contains("/dev") {
        return;
    }
    let environment = Environment::default();
    let is_secret = has_secret_in_its_place(text);
    match Config::from_text("config.toml", text, &environment) {
        Ok(config) => check_config(&config, is_secret),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= GROWTH * (text.len() + 10), "{} bytes", message.len());
            assert!(!is_secret || !message.contains(SECRET), "a secret is shown: {message}");
        }
    }
}

fn check_config(config: &Config, is_secret: bool) {
    assert!(!config.webhook.secrets.is_empty(), "anybody may deliver");
    assert!(config.webhook.secrets.iter().all(|secret| !secret.expose_secret().is_empty()));
    let effective = config.effective_toml();
    assert!(effective.parse::<toml::Table>().is_ok(), "no TOML: {effective}");
    for shown in [effective, format!("{config:?}"), config.warnings().join("\n")] {
        assert!(!is_secret || !shown.contains(SECRET), "a secret is shown: {shown}");
    }
    assert_eq!(config.needs_restart(config), Vec::<&str>::new());
    let jobs = [Some(&config.sync.users), Some(&config.sync.ips), config.sync.tenant.as_ref()];
    for job in jobs.into_iter().flatten() {
        check_schedule(&job.schedule);
    }
}

fn check_schedule(schedule: &Schedule) {
    let Some(now) = Timestamp::from_timestamp(NOW, 0) else { return };
    let next = schedule.next_after(now);
    assert!(next.is_none_or(|next| next > now), "{schedule:?} is at {next:?}");
}

/// Whether the secret is only in values of settings that hold secrets. As a name, or as another
/// setting's value, it is shown like any text.
fn has_secret_in_its_place(text: &str) -> bool {
    let Ok(table) = text.parse::<toml::Table>() else { return false };
    let at = |path: [&str; 2]| table.get(path[0])?.get(path[1]);
    let places = [["webhook", "secrets"], ["api", "client_secret"], ["otlp", "headers"]];
    let there: usize = places
        .into_iter()
        .filter_map(at)
        .map(|value| value.to_string().matches(SECRET).count())
        .sum();
    there > 0 && there == text.matches(SECRET).count()
}
