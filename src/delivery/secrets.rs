//! Secrets that a collector may repeat in its messages, and that must not be logged.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

/// The words in the values of headers.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Every word but the names of schemes, such as `Bearer`.
    pub(super) fn from_headers(headers: &BTreeMap<String, SecretString>) -> Self {
        let mut secrets = Vec::new();
        for word in headers.values().flat_map(|value| value.expose_secret().split_whitespace()) {
            let is_scheme = ["basic", "bearer", "token"].contains(&word.to_lowercase().as_str());
            // Replacing short words would make any text unreadable.
            if word.len() > 3 && !is_scheme {
                secrets.push(SecretString::from(word));
            }
        }
        Self(secrets)
    }

    /// The text with each secret replaced.
    pub(super) fn hide(&self, text: &str) -> String {
        let hide =
            |text: String, secret: &SecretString| text.replace(secret.expose_secret(), "[hidden]");
        self.0.iter().fold(text.to_owned(), hide)
    }
}
