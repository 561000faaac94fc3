//! `api.region`, a shorthand for the API's URL.

use super::settings::{Settings, Value};

/// Derives `api.url` from `api.region`, unless it is set. The domains are documented. The path is
/// not: it is that of every endpoint of AWS `AppSync`, on which the service runs.
pub(super) fn apply_region(settings: &mut Settings) {
    if settings.get("api.url").is_some() {
        return;
    }
    let Some(entry) = settings.get("api.region").cloned() else { return };
    let Value::Text(region) = &entry.value else { return };
    let domain = match region.as_str() {
        "eu" => "api.eu.oort.io",
        "au" => "api.au.oort.io",
        _ => "api.oort.io",
    };
    settings.set("api.url", Value::Text(format!("https://{domain}/graphql")), entry.origin);
}
