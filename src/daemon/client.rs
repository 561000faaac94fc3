//! A client of the service's API, as the configuration wants it.

use std::time::Duration;

use crate::{
    cii::{Client, ClientSettings, Meters, SettingsError},
    config::ApiConfig,
};

/// Makes a client; nothing is sent yet.
///
/// # Errors
/// When a URL is not one of HTTP, or the HTTP client cannot be set up.
pub fn client(api: &ApiConfig, meters: Meters) -> Result<Client, SettingsError> {
    let settings = ClientSettings {
        url: api.url.to_string(),
        token_url: api.token_url.to_string(),
        client_id: api.client_id.clone(),
        client_secret: api.client_secret.clone(),
        audience: api.audience.clone(),
        token_request: api.token_request,
        timeout: Duration::from_secs(api.timeout_seconds),
        requests_per_minute: api.requests_per_minute,
        retries: api.retries,
        batch_size: api.batch_size,
        max_answer_bytes: api.max_answer_bytes,
        max_answer_items: api.max_answer_items,
    };
    Client::new(settings, meters)
}
