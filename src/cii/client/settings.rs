//! What a client is made of.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::config::TokenRequest;

/// Where the API is and who asks. The console shows each API client its own
/// URLs.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The GraphQL endpoint.
    pub url: String,
    /// The OAuth token endpoint.
    pub token_url: String,
    /// The API client's id.
    pub client_id: String,
    /// The API client's secret.
    pub client_secret: SecretString,
    /// Asked for by API clients made before September 2025.
    pub audience: Option<String>,
    /// The form of a token request.
    pub token_request: TokenRequest,
    /// How long one request may take, to the end of its answer.
    pub timeout: Duration,
    /// Requests at most in any minute.
    pub requests_per_minute: u32,
    /// How often a request that failed and may succeed is sent again.
    pub retries: u32,
    /// Users or addresses at most that one request asks about.
    pub batch_size: usize,
    /// Bytes of an answer at most.
    pub max_answer_bytes: usize,
    /// Elements at most of any one list in an answer.
    pub max_answer_items: usize,
}

/// Why no client can be made of its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A URL is none, or is not one of HTTP.
    #[error("{setting} is not usable: {reason}")]
    Url {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client cannot be set up, for instance for want of root
    /// certificates.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[source] reqwest::Error),
}

pub(super) fn http_url(setting: &'static str, text: &str) -> Result<Url, SettingsError> {
    let refuse = |reason: String| Err(SettingsError::Url { setting, reason });
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => refuse("expected a URL that begins with https:// or http://".to_owned()),
        Err(error) => refuse(error.to_string()),
    }
}
