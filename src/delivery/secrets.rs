//! What a collector may repeat in its words, and must not get into the log.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

/// The words of which headers' values are made.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Every word but those that only name a scheme, such as `Bearer`.
    pub(super) fn from_headers(headers: &BTreeMap<String, SecretString>) -> Self {
        let mut secrets = Vec::new();
        for word in headers.values().flat_map(|value| value.expose_secret().split_whitespace()) {
            let is_scheme = ["basic", "bearer", "token"].contains(&word.to_lowercase().as_str());
            // Hiding short words would make nonsense of any text.
            if word.len() > 3 && !is_scheme {
                secrets.push(SecretString::from(word));
            }
        }
        Self(secrets)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let hide =
            |text: String, secret: &SecretString| text.replace(secret.expose_secret(), "[hidden]");
        self.0.iter().fold(text.to_owned(), hide)
    }
}
