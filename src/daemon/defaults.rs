//! Logs defaults that changed since the version that wrote the database.

use crate::config::Config;

/// The changed defaults, each with the line that keeps the former one.
const CHANGED: [(&str, &str, &str); 3] = [
    (
        "sync.tenant.enabled",
        "the whole tenant is listed, every 6 hours",
        "[sync.tenant] enabled = false",
    ),
    (
        "sync.users.schedule",
        "watched users are asked about every hour, before every 15 minutes",
        "[sync.users] schedule = \"0 */15 * * * *\"",
    ),
    (
        "sync.ips.schedule",
        "watched IP addresses are asked about every hour, before every 15 minutes",
        "[sync.ips] schedule = \"0 */15 * * * *\"",
    ),
];

/// Logs the changed defaults of settings that the operator has not set.
pub(super) fn log_changed_defaults(config: &Config) {
    for (setting, now, former) in CHANGED {
        if !config.is_set(setting) {
            tracing::info!(setting, now, keep_as_before = former, "a default changed");
        }
    }
}
