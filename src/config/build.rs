//! From values to what they mean.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use reqwest::{Url, header::HeaderName};
use secrecy::SecretString;

use super::{
    ApiConfig, Config, ConfigError, JobConfig, LogConfig, OpsConfig, Origin, OtlpConfig,
    OtlpProtocol, StoreConfig, SyncConfig, WatchConfig, WebhookConfig, environment, key,
    problem::Problems,
    settings::{Settings, Value},
};
use crate::domain::{CheckId, Login};

/// Makes the configuration of the settings, or tells all that is wrong.
pub(super) fn build(settings: Settings, problems: Problems) -> Result<Config, ConfigError> {
    let mut building = Building { settings: &settings, problems };
    let config = building.config();
    let problems = building.problems;
    let config = config.map(|parts| Config { settings, ..parts });
    problems.finish(config)
}

struct Building<'a> {
    settings: &'a Settings,
    problems: Problems,
}

impl Building<'_> {
    fn config(&mut self) -> Option<Config> {
        // Every table is built before any is missed, so that all problems are told.
        let (webhook, ops, watch) = (self.webhook(), self.parsed("ops.listen"), self.watch());
        let (users, ips) = (self.job("sync.users"), self.job("sync.ips"));
        let api = self.settings.has_table("api").then(|| self.api());
        let otlp = self.settings.has_table("otlp").then(|| self.otlp());
        Some(Config {
            webhook: webhook?,
            ops: OpsConfig { listen: ops? },
            api: match api {
                Some(api) => Some(api?),
                None => None,
            },
            watch: watch?,
            sync: SyncConfig { users: users?, ips: ips? },
            store: StoreConfig { path: self.text("store.path")?.into() },
            otlp: match otlp {
                Some(otlp) => Some(otlp?),
                None => None,
            },
            log: LogConfig {
                level: self.text("log.level")?,
                is_json: self.text("log.format")? == "json",
            },
            settings: Settings::default(),
        })
    }

    fn webhook(&mut self) -> Option<WebhookConfig> {
        let listen = self.parsed("webhook.listen");
        let path = self.checked("webhook.path", |path| {
            let is_plain = |c: char| c.is_ascii_graphic() && !"{}*?#:".contains(c);
            if path.starts_with('/') && path.len() > 1 && path.chars().all(is_plain) {
                Ok(path.to_owned())
            } else {
                Err("expected a path such as /webhooks/cii")
            }
        });
        let header = self.checked("webhook.header", |name| {
            HeaderName::from_str(name)
                .map(|name| name.as_str().to_owned())
                .map_err(|_| "is no name of an HTTP header")
        });
        let secrets = self.secrets();
        let check_ids = self.each("webhook.check_ids", |id| {
            CheckId::new(id).ok_or("a check's id must not be empty")
        });
        let max_body_bytes = self.number("webhook.max_body_bytes");
        Some(WebhookConfig {
            listen: listen?,
            path: path?,
            header: header?,
            secrets: secrets?,
            check_ids: check_ids?,
            max_body_bytes: max_body_bytes?,
        })
    }

    fn secrets(&mut self) -> Option<Vec<SecretString>> {
        let path = "webhook.secrets";
        let (secrets, origin) = self.list(path);
        if secrets.is_empty() {
            let message = format!(
                "is missing: set it, webhook.secrets_file or {}; `openssl rand -hex 32` makes one",
                environment::variable(path)
            );
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        let is_sendable = |secret: &String| {
            !secret.is_empty() && secret.chars().all(|c| c == ' ' || c.is_ascii_graphic())
        };
        if !secrets.iter().all(is_sendable) {
            let message = "a secret must not be empty, and be of visible ASCII characters";
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        Some(secrets.into_iter().map(SecretString::from).collect())
    }

    fn api(&mut self) -> Option<ApiConfig> {
        let (url, token_url) = (self.url("api.url"), self.url("api.token_url"));
        let (client_id, client_secret) =
            (self.required("api.client_id"), self.required("api.client_secret"));
        Some(ApiConfig {
            url: url?,
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?.into(),
            audience: self.text("api.audience"),
            timeout_seconds: self.number("api.timeout_seconds")?,
            concurrency: self.number("api.concurrency")?,
            page_size: self.number("api.page_size")?,
        })
    }

    fn watch(&mut self) -> Option<WatchConfig> {
        let users = self.each("watch.users", Login::new);
        let ips = self.each("watch.ips", str::parse);
        let failing_users = self.flag("watch.failing_users");
        let max_users = self.number("watch.max_users");
        if let (Some(users), Some(max_users)) = (&users, max_users)
            && users.len() > max_users
        {
            let origin = self.settings.get("watch.users").map(|entry| entry.origin.clone());
            let message =
                format!("names {} users, and watch.max_users allows {max_users}", users.len());
            self.problems.add(origin.as_ref(), "watch.users", message);
        }
        Some(WatchConfig {
            users: users?,
            ips: ips?,
            failing_users: failing_users?,
            max_users: max_users?,
        })
    }

    fn job(&mut self, table: &str) -> Option<JobConfig> {
        let schedule = self.checked(&format!("{table}.schedule"), str::parse);
        let on_start = self.flag(&format!("{table}.on_start"));
        Some(JobConfig { schedule: schedule?, on_start: on_start? })
    }

    fn otlp(&mut self) -> Option<OtlpConfig> {
        let endpoint = match self.text("otlp.endpoint") {
            Some(_) => Some(self.url("otlp.endpoint")?.to_string()),
            None => None,
        };
        let protocol = self.text("otlp.protocol").map(|protocol| match protocol.as_str() {
            "grpc" => OtlpProtocol::Grpc,
            _ => OtlpProtocol::HttpProtobuf,
        });
        Some(OtlpConfig { endpoint, protocol })
    }

    /// The value, else the default.
    fn value(&self, path: &str) -> Option<Value> {
        if let Some(entry) = self.settings.get(path) {
            return Some(entry.value.clone());
        }
        let default = key::find(path)?.default?;
        Some(match default.parse::<toml::Value>().ok()? {
            toml::Value::String(text) => Value::Text(text),
            toml::Value::Boolean(flag) => Value::Flag(flag),
            toml::Value::Integer(number) => Value::Integer(number),
            _ => Value::List(Vec::new()),
        })
    }

    fn text(&self, path: &str) -> Option<String> {
        match self.value(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn list(&self, path: &str) -> (Vec<String>, Option<Origin>) {
        let origin = self.settings.get(path).map(|entry| entry.origin.clone());
        match self.value(path) {
            Some(Value::List(texts)) => (texts, origin),
            _ => (Vec::new(), origin),
        }
    }

    fn flag(&self, path: &str) -> Option<bool> {
        match self.value(path)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A number; the form of its key keeps it within the type.
    fn number<T: TryFrom<i64>>(&self, path: &str) -> Option<T> {
        match self.value(path)? {
            Value::Integer(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    /// A text that must be there and not be empty.
    fn required(&mut self, path: &str) -> Option<String> {
        let text = self.text(path).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            let origin = self.settings.get(path).map(|entry| entry.origin.clone());
            let variable = environment::variable(path);
            let message = format!("is missing: set it in the file, or {variable}");
            self.problems.add(origin.as_ref(), path, message);
        }
        text
    }

    fn checked<T, E: Display>(
        &mut self,
        path: &str,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path)?;
        match check(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let origin = self.settings.get(path).map(|entry| entry.origin.clone());
                self.problems.add(origin.as_ref(), path, error.to_string());
                None
            }
        }
    }

    fn parsed<T: FromStr>(&mut self, path: &str) -> Option<T> {
        self.checked(path, |text| {
            text.parse().map_err(|_| {
                format!("expected an address and a port, such as 127.0.0.1:8847, found {text:?}")
            })
        })
    }

    fn url(&mut self, path: &str) -> Option<Url> {
        let text = self.required(path)?;
        self.checked(path, |_| match Url::parse(&text) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                Err("must not hold a user or a password")
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
            _ => Err("expected a URL that begins with https:// (or http://)"),
        })
    }

    fn each<T: Ord, E: Display>(
        &mut self,
        path: &str,
        check: impl Fn(&str) -> Result<T, E>,
    ) -> Option<BTreeSet<T>> {
        let (texts, origin) = self.list(path);
        let mut values = Some(BTreeSet::new());
        for text in &texts {
            match (check(text), &mut values) {
                (Ok(value), Some(values)) => {
                    values.insert(value);
                }
                (Ok(_), None) => {}
                (Err(error), _) => {
                    self.problems.add(origin.as_ref(), path, error.to_string());
                    values = None;
                }
            }
        }
        values
    }
}
