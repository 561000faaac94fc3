//! The configuration that is written: the example with all its comments, filled in.

use std::{net::SocketAddr, path::PathBuf};

use reqwest::Url;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// What is filled in.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub(super) webhook_listen: SocketAddr,
    pub(super) ops_listen: SocketAddr,
    pub(super) public_url: Option<Url>,
    pub(super) api_url: Url,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) audience: Option<String>,
    /// Files of secrets and the database; nothing where the unit of systemd names them.
    pub(super) paths: Option<Paths>,
}

/// Where secrets and data are.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) webhook_secrets: PathBuf,
    pub(super) client_secret: PathBuf,
    pub(super) store: PathBuf,
}

/// The text of the configuration.
pub(super) fn fill(values: &Values) -> String {
    let path = |path: fn(&Paths) -> &PathBuf| {
        values.paths.as_ref().map(|paths| path(paths).display().to_string())
    };
    let url = |url: &Url| Some(url.to_string());
    // Each line of the example, the setting, and its value; where there is none, it stays.
    [
        ("listen = \"127.0.0.1:8847\"", "listen", Some(values.webhook_listen.to_string())),
        (
            "# public_url = \"https://hooks.example.com/webhooks/cii\"",
            "public_url",
            values.public_url.as_ref().and_then(url),
        ),
        (
            "# secrets_file = \"/etc/cii-exporter/webhook-secrets\"",
            "secrets_file",
            path(|paths| &paths.webhook_secrets),
        ),
        ("listen = \"127.0.0.1:9847\"", "listen", Some(values.ops_listen.to_string())),
        ("url = \"https://api.oort.io/graphql\"", "url", url(&values.api_url)),
        ("token_url = \"https://login.oort.io/oauth/token\"", "token_url", url(&values.token_url)),
        ("client_id = \"the-client-id\"", "client_id", Some(values.client_id.clone())),
        (
            "# client_secret_file = \"/etc/cii-exporter/client-secret\"",
            "client_secret_file",
            path(|paths| &paths.client_secret),
        ),
        ("# audience = \"\u{2026}\"", "audience", values.audience.clone()),
        ("path = \"cii-exporter.db\"", "path", path(|paths| &paths.store)),
    ]
    .into_iter()
    .fold(EXAMPLE.to_owned(), |text, (line, name, value)| match value {
        Some(value) => text.replacen(
            &format!("\n{line}\n"),
            &format!("\n{name} = {}\n", toml::Value::from(value)),
            1,
        ),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use cii_exporter::config::{Config, Environment};
    use secrecy::ExposeSecret as _;

    use super::*;

    fn values(paths: Option<Paths>) -> Values {
        Values {
            webhook_listen: "127.0.0.1:18847".parse().unwrap(),
            ops_listen: "127.0.0.1:19847".parse().unwrap(),
            public_url: Some("https://a.example/webhooks/cii".parse().unwrap()),
            api_url: "https://api.example/graphql".parse().unwrap(),
            token_url: "https://login.example/token".parse().unwrap(),
            client_id: "an \"id\"".to_owned(),
            audience: Some("who".to_owned()),
            paths,
        }
    }

    #[test]
    fn every_value_lands_in_its_setting() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["webhook", "client"] {
            std::fs::write(path(name), format!("the-secret-of-{name}")).unwrap();
        }
        let paths = Paths {
            webhook_secrets: path("webhook"),
            client_secret: path("client"),
            store: path("the.db"),
        };
        let text = fill(&values(Some(paths)));
        let config = Config::from_text("", &text, &Environment::default()).unwrap();
        let api = config.api.unwrap();
        assert_eq!(config.webhook.listen.port(), 18847);
        assert_eq!(config.ops.listen.port(), 19847);
        assert_eq!(config.webhook.public_url.unwrap().host_str(), Some("a.example"));
        assert_eq!(config.ops.public_url, None);
        assert_eq!(config.webhook.secrets[0].expose_secret(), "the-secret-of-webhook");
        assert_eq!(api.client_secret.expose_secret(), "the-secret-of-client");
        assert_eq!(api.url.as_str(), "https://api.example/graphql");
        assert_eq!(api.token_url.as_str(), "https://login.example/token");
        assert_eq!((api.client_id.as_str(), api.audience.as_deref()), ("an \"id\"", Some("who")));
        assert_eq!(config.store.path, path("the.db"));
        // The comments stay.
        assert!(text.lines().filter(|line| line.starts_with('#')).count() > 100);
    }

    #[test]
    fn what_the_unit_gives_is_left_out() {
        let text = fill(&values(None));
        let variables = [
            ("CII_EXPORTER_WEBHOOK__SECRETS", "given"),
            ("CII_EXPORTER_API__CLIENT_SECRET", "given"),
        ];
        let config = Config::from_text("", &text, &variables.into_iter().collect()).unwrap();
        assert_eq!(config.webhook.secrets[0].expose_secret(), "given");
    }
}
