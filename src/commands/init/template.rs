//! Creates the configuration from the example file, with all its comments.

use std::{net::SocketAddr, path::PathBuf};

use reqwest::Url;

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// The example's line for the database file.
const FILE: &str = "path = \"cii-exporter.db\"";

/// The values to fill in.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub(super) webhook_listen: SocketAddr,
    pub(super) ops_listen: SocketAddr,
    pub(super) public_url: Option<Url>,
    pub(super) api_url: Url,
    pub(super) token_url: Url,
    pub(super) client_id: String,
    pub(super) audience: Option<String>,
    /// Paths of secrets and database; `None` when the systemd unit sets them.
    pub(super) paths: Option<Paths>,
}

/// Paths of secrets and data.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) webhook_secrets: PathBuf,
    pub(super) client_secret: PathBuf,
    pub(super) state: State,
}

/// Where the store is.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// A file.
    File(PathBuf),
    /// A server's URL, with the file of its password.
    Server(String, Option<PathBuf>),
}

/// Returns the text of the configuration.
pub(super) fn fill_template(values: &Values) -> String {
    let path = |path: fn(&Paths) -> &PathBuf| {
        values.paths.as_ref().map(|paths| path(paths).display().to_string())
    };
    let url = |url: &Url| Some(url.to_string());
    let state = values.paths.as_ref().map(|paths| &paths.state);
    let (file, server, password) = match state {
        None => (None, None, None),
        Some(State::File(path)) => (Some(path.display().to_string()), None, None),
        Some(State::Server(url, password)) => {
            (None, Some(url.clone()), password.as_ref().map(|path| path.display().to_string()))
        }
    };
    // Only one of `store.path` and `store.url` may be set.
    let example = if server.is_some() {
        EXAMPLE.replacen(&format!("\n{FILE}\n"), &format!("\n# {FILE}\n"), 1)
    } else {
        EXAMPLE.to_owned()
    };
    // A line of the example, the setting, and its value; without a value the line stays as it is.
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
        (FILE, "path", file),
        ("# url = \"postgres://exporter@db.example.com/cii?sslmode=verify-full\"", "url", server),
        ("# password_file = \"/etc/cii-exporter/store-password\"", "password_file", password),
    ]
    .into_iter()
    .fold(example, |text, (line, name, value)| match value {
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
    use cii_exporter::config::{Config, Environment, StorePlace};
    use secrecy::ExposeSecret as _;

    use tempfile::TempDir;

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

    /// A folder with a secret for each setting.
    fn secrets() -> TempDir {
        let folder = TempDir::new().unwrap();
        for name in ["webhook", "client", "store"] {
            std::fs::write(folder.path().join(name), format!("the-secret-of-{name}")).unwrap();
        }
        folder
    }

    fn paths(folder: &TempDir, state: State) -> Paths {
        let path = |name: &str| folder.path().join(name);
        Paths { webhook_secrets: path("webhook"), client_secret: path("client"), state }
    }

    #[test]
    fn a_server_takes_the_place_of_the_file() {
        let folder = secrets();
        let url = "postgres://e@a,b/cii?sslmode=disable".to_owned();
        let state = State::Server(url, Some(folder.path().join("store")));
        let text = fill_template(&values(Some(paths(&folder, state))));
        let config = Config::from_text("", &text, &Environment::default()).unwrap();
        let StorePlace::Server(server) = config.store.place else { panic!("{text}") };
        assert_eq!(server.name(), "postgres://a,b/cii");
        assert_eq!(server.password.unwrap().expose_secret(), "the-secret-of-store");
    }

    #[test]
    fn every_value_lands_in_its_setting() {
        let folder = secrets();
        let file = folder.path().join("the.db");
        let text = fill_template(&values(Some(paths(&folder, State::File(file.clone())))));
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
        assert!(matches!(config.store.place, StorePlace::File(path) if path == file));
        // The comments stay.
        assert!(text.lines().filter(|line| line.starts_with('#')).count() > 100);
    }

    #[test]
    fn what_the_unit_gives_is_left_out() {
        let text = fill_template(&values(None));
        let variables = [
            ("CII_EXPORTER_WEBHOOK__SECRETS", "given"),
            ("CII_EXPORTER_API__CLIENT_SECRET", "given"),
        ];
        let config = Config::from_text("", &text, &variables.into_iter().collect()).unwrap();
        assert_eq!(config.webhook.secrets[0].expose_secret(), "given");
    }
}
