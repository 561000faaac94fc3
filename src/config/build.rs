//! From values to what they mean.

use std::{
    collections::BTreeSet,
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use chrono_tz::Tz;
use reqwest::{Url, header::HeaderName};
use secrecy::SecretString;

use super::{
    ApiConfig, BasicConfig, Config, ConfigError, Environment, JobConfig, LogConfig, MetricsConfig,
    OpsConfig, Origin, OtlpConfig, StoreConfig, SyncConfig, UserLabel, WatchConfig, WebConfig,
    WebConfigFile, WebhookConfig, checks, key, objectives, otlp,
    problem::Problems,
    secret,
    settings::{Settings, Value},
    variables,
};
use crate::domain::{
    CheckId, Login, Network, NullLists, Objectives, Schedule, ScheduleError, Timestamp,
};

/// Past that, failures that ended would be shown for longer than anybody waits.
const LONGEST_SETTLE: Duration = Duration::from_hours(7 * 24);

/// Makes the configuration of the settings, or tells all that is wrong.
pub(super) fn build(
    settings: Settings,
    environment: &Environment,
    problems: Problems,
) -> Result<Config, ConfigError> {
    let mut building = Building { settings: &settings, environment, problems };
    let config = building.config();
    let problems = building.problems;
    let open_files = secret::open_files(&settings, environment);
    let config = config.map(|parts| Config { settings, open_files, ..parts });
    problems.finish(config)
}

struct Building<'a> {
    settings: &'a Settings,
    environment: &'a Environment,
    problems: Problems,
}

impl Building<'_> {
    fn config(&mut self) -> Option<Config> {
        // Builds every section before the first `?`, so that all problems are reported at once.
        let (webhook, ops, watch) = (self.webhook(), self.ops(), self.watch());
        let sync = self.sync();
        let user_label = self.user_label("metrics.user_label");
        let checks = checks::build(self.settings, &mut self.problems);
        let objectives = self.objectives();
        let api = self.settings.has_table("api").then(|| self.api());
        let otlp = self.settings.has_table("otlp").then(|| self.otlp());
        let (store, level) = (self.required("store.path"), self.required("log.level"));
        if let (Some(webhook), Some(ops)) = (&webhook, &ops) {
            self.listeners_differ(webhook.listen, ops.listen);
        }
        Some(Config {
            webhook: webhook?,
            ops: ops?,
            api: match api {
                Some(api) => Some(api?),
                None => None,
            },
            watch: watch?,
            sync: sync?,
            checks,
            metrics: MetricsConfig {
                user_series: self.choice("metrics.user_series")?,
                user_label: user_label?,
                max_checks: self.number("metrics.max_checks")?,
            },
            objectives: objectives?,
            store: StoreConfig {
                path: store?.into(),
                retention_days: self.number("store.retention_days").filter(|days| *days > 0),
            },
            otlp: match otlp {
                Some(otlp) => Some(otlp?),
                None => None,
            },
            log: LogConfig { level: level?, is_json: self.text("log.format")? == "json" },
            settings: Settings::default(),
            open_files: Vec::new(),
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
        let secrets = self.secrets("webhook.secrets", "a header's value", ' ');
        let bearer = self.secrets("webhook.bearer", "a Bearer token", '-');
        let basic = self.settings.has_table("webhook.basic").then(|| self.basic());
        let web_config = self.web_config("webhook.web_config");
        let (allow_from, trusted_proxies) =
            (self.networks("webhook.allow_from"), self.networks("webhook.trusted_proxies"));
        let check_ids = self.each("webhook.check_ids", |id| {
            CheckId::new(id).ok_or("a check's id must not be empty")
        });
        let max_body_bytes = self.number("webhook.max_body_bytes");
        Some(WebhookConfig {
            listen: listen?,
            path: path?,
            header: header?,
            secrets: secrets?,
            basic: match basic {
                Some(basic) => Some(basic?),
                None => None,
            },
            bearer: bearer?,
            web_config: web_config?,
            allow_from: allow_from?,
            trusted_proxies: trusted_proxies?,
            check_ids: check_ids?,
            max_body_bytes: max_body_bytes?,
        })
    }

    fn ops(&mut self) -> Option<OpsConfig> {
        let listen: Option<SocketAddr> = self.parsed("ops.listen");
        let public_url = match self.text("ops.public_url") {
            Some(_) => Some(self.url("ops.public_url")?),
            None => None,
        };
        let hosts = self.each("ops.hosts", host_name);
        let write_tokens = self.secrets("ops.write_token", "a Bearer token", '-');
        let web_config = self.web_config("ops.web_config");
        let ops = OpsConfig {
            listen: listen?,
            web_config: web_config?,
            public_url,
            hosts: hosts?,
            allow_unauthenticated: self.flag("ops.allow_unauthenticated")?,
            read_only: self.flag("ops.read_only")?,
            write_tokens: write_tokens?,
        };
        let is_authenticated =
            ops.web_config.as_ref().is_some_and(|file| file.config.is_authenticated());
        let is_local = ops.listen.ip().to_canonical().is_loopback();
        if !is_local && !is_authenticated && !ops.allow_unauthenticated {
            let origin = self.origin("ops.listen");
            let message = format!(
                "{} is reached from other machines, without authentication: set ops.web_config \
                 with basic_auth_users or client certificates, listen at 127.0.0.1, or, where the \
                 network keeps others out, set ops.allow_unauthenticated = true",
                ops.listen
            );
            self.problems.add(origin.as_ref(), "ops.listen", message);
        }
        Some(ops)
    }

    /// Two listeners cannot have one address.
    fn listeners_differ(&mut self, webhook: SocketAddr, ops: SocketAddr) {
        let is_any = webhook.ip().is_unspecified() || ops.ip().is_unspecified();
        if webhook.port() == 0 || webhook.port() != ops.port() {
            return;
        }
        if is_any || webhook.ip() == ops.ip() {
            let path = "ops.listen";
            let origin = self.origin(path).or_else(|| self.origin("webhook.listen"));
            let message = format!("{ops} cannot be listened at beside webhook.listen, {webhook}");
            self.problems.add(origin.as_ref(), path, message);
        }
    }

    /// Secrets that a header carries: of visible ASCII characters, and of `also`.
    fn secrets(&mut self, path: &str, what: &str, also: char) -> Option<Vec<SecretString>> {
        let (secrets, origin) = self.list(path);
        if self.is_told(path) {
            return None;
        }
        // One way to prove itself is enough; the header is the usual one.
        let is_optional = path != "webhook.secrets" || self.has_other_credentials();
        if secrets.is_empty() && (origin.is_some() || !is_optional) {
            let message = format!(
                "is missing: set it, {path}_file or {}; `openssl rand -hex 32` makes one",
                variables::variable(path)
            );
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        let is_sendable = |secret: &String| {
            // HTTP drops white space around a header's value; `Basic …` has one inside.
            !secret.is_empty()
                && secret.trim() == secret
                && secret.chars().all(|c| c == also || c.is_ascii_graphic())
        };
        if let Some(position) = secrets.iter().position(|secret| !is_sendable(secret)) {
            let message = format!(
                "secret {} of {} cannot be {what}: it must be of visible ASCII characters, \
                 without white space around them",
                position + 1,
                secrets.len()
            );
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        Some(secrets.into_iter().map(SecretString::from).collect())
    }

    /// Whether a sender can prove itself otherwise than by the header's secret.
    fn has_other_credentials(&self) -> bool {
        ["webhook.bearer", "webhook.bearer_file"]
            .iter()
            .any(|path| self.settings.get(path).is_some())
            || self.settings.has_table("webhook.basic")
            || self.settings.get("webhook.web_config").is_some_and(|entry| {
                let Value::Text(path) = &entry.value else { return false };
                WebConfig::read(Path::new(path)).is_ok_and(|config| !config.users.is_empty())
            })
    }

    fn basic(&mut self) -> Option<BasicConfig> {
        let path = "webhook.basic.password";
        self.required("webhook.basic.user");
        let user = self.checked("webhook.basic.user", |user| {
            let is_plain = !user.contains(':') && !user.chars().any(char::is_control);
            if is_plain { Ok(user.to_owned()) } else { Err("must not hold a colon") }
        });
        let (passwords, origin) = self.list(path);
        let is_empty = |password: &String| password.is_empty();
        if passwords.is_empty() || passwords.iter().any(is_empty) {
            if !self.is_told(path) {
                let message = if origin.is_some() { "must not be empty" } else { "is missing" };
                self.problems.add(origin.as_ref(), path, message);
            }
            return None;
        }
        let passwords = passwords.into_iter().map(SecretString::from).collect();
        Some(BasicConfig { user: user?, passwords })
    }

    /// The file that a listener's setting names; none where it names none.
    #[expect(clippy::option_option, reason = "nothing where the file is wrong, as elsewhere")]
    fn web_config(&mut self, path: &str) -> Option<Option<WebConfigFile>> {
        if self.text(path).is_none() {
            return Some(None);
        }
        let file = self.required(path)?;
        self.checked(path, |_| {
            let path = PathBuf::from(&file);
            WebConfig::read(&path).map(|config| WebConfigFile { path, config })
        })
        .map(Some)
    }

    fn networks(&mut self, path: &str) -> Option<Vec<Network>> {
        Some(self.each(path, str::parse::<Network>)?.into_iter().collect())
    }

    fn api(&mut self) -> Option<ApiConfig> {
        let (url, token_url) = (self.url("api.url"), self.url("api.token_url"));
        let (client_id, client_secret) =
            (self.required("api.client_id"), self.required("api.client_secret"));
        let audience = match self.text("api.audience") {
            Some(_) => Some(self.required("api.audience")?),
            None => None,
        };
        Some(ApiConfig {
            url: url?,
            token_url: token_url?,
            client_id: client_id?,
            client_secret: client_secret?.into(),
            audience,
            token_request: self.choice("api.token_request")?,
            timeout: Duration::from_secs(self.number("api.timeout_seconds")?),
            concurrency: self.number("api.concurrency")?,
            page_size: self.number("api.page_size")?,
            batch_size: self.number("api.batch_size")?,
            requests_per_minute: self.number("api.requests_per_minute")?,
            retries: self.number("api.retries")?,
            null_lists: match self.text("api.null_lists")?.as_str() {
                "untold" => NullLists::Untold,
                "empty" => NullLists::Empty,
                _ => NullLists::Auto,
            },
            max_answer_bytes: self.number("api.max_answer_bytes")?,
            max_answer_items: self.number("api.max_answer_items")?,
        })
    }

    fn watch(&mut self) -> Option<WatchConfig> {
        let users = self.each("watch.users", Login::new);
        let ips = self.each("watch.ips", str::parse);
        let failing_users = self.flag("watch.failing_users");
        let max_users = self.number("watch.max_users");
        let max_ips = self.number("watch.max_ips");
        for (path, kind, named, most) in [
            ("watch.users", "users", users.as_ref().map(BTreeSet::len), max_users),
            ("watch.ips", "ips", ips.as_ref().map(BTreeSet::len), max_ips),
        ] {
            if let (Some(named), Some(most)) = (named, most)
                && named > most
            {
                let origin = self.origin(path);
                let message = format!("names {named} {kind}, and watch.max_{kind} allows {most}");
                self.problems.add(origin.as_ref(), path, message);
            }
        }
        Some(WatchConfig {
            users: users?,
            ips: ips?,
            failing_users: failing_users?,
            max_users: max_users?,
            max_ips: max_ips?,
        })
    }

    fn objectives(&mut self) -> Option<Objectives> {
        let mut by_severity = Vec::new();
        for severity in objectives::SEVERITIES {
            let path = format!("slo.{severity}");
            if self.text(&path).is_some() {
                let objective = self.checked(&path, objectives::parse);
                by_severity.extend(objective.flatten().map(|time| (severity.to_owned(), time)));
            }
        }
        let except =
            self.each("slo.except", |id| CheckId::new(id).ok_or("a check's id must not be empty"));
        Some(Objectives::new(by_severity, except?))
    }

    fn user_label(&mut self, path: &'static str) -> Option<UserLabel> {
        Some(match self.text(path)?.as_str() {
            "id" => UserLabel::Id,
            "hash" => UserLabel::Hash(self.required("metrics.hash_key")?.into()),
            _ => UserLabel::Login,
        })
    }

    fn sync(&mut self) -> Option<SyncConfig> {
        let zone = self.checked("sync.time_zone", |name| {
            name.parse::<Tz>().map_err(|_| {
                format!("{name:?} is no time zone; expected a name such as \"Europe/Berlin\"")
            })
        });
        let mut job = |table: &str| {
            let job = self.job(table)?;
            Some(JobConfig { schedule: job.schedule.in_zone(zone?), ..job })
        };
        let (users, ips) = (job("sync.users"), job("sync.ips"));
        let (tenant, service) = (job("sync.tenant"), job("sync.service"));
        let settle = self.checked("sync.settle", |text| {
            let settle = humantime::parse_duration(text).ok();
            settle.filter(|settle| *settle <= LONGEST_SETTLE).ok_or_else(|| {
                format!("{text:?} is no time of at most a week; expected one such as \"15m\"")
            })
        });
        let (lists_tenant, sees_service) =
            (self.flag("sync.tenant.enabled")?, self.flag("sync.service.enabled")?);
        Some(SyncConfig {
            users: users?,
            ips: ips?,
            tenant: Some(tenant?).filter(|_| lists_tenant),
            tenant_page_size: self.number("sync.tenant.page_size")?,
            service: Some(service?).filter(|_| sees_service),
            jitter_seconds: self.number("sync.jitter_seconds")?,
            spread: self.flag("sync.spread")?,
            settle: settle?,
        })
    }

    fn job(&mut self, table: &str) -> Option<JobConfig> {
        let schedule = self.checked(&format!("{table}.schedule"), |pattern| {
            let schedule: Schedule =
                pattern.parse().map_err(|error: ScheduleError| error.to_string())?;
            match schedule.next_after(Timestamp::UNIX_EPOCH) {
                Some(_) => Ok(schedule),
                None => Err("names moments that never come".to_owned()),
            }
        });
        let on_start = self.flag(&format!("{table}.on_start"));
        Some(JobConfig { schedule: schedule?, on_start: on_start? })
    }

    fn otlp(&mut self) -> Option<OtlpConfig> {
        let endpoint = match self.text("otlp.endpoint") {
            Some(_) => Some(self.url("otlp.endpoint")?),
            None => None,
        };
        let protocol = self.choice("otlp.protocol");
        // Whoever must not be named in metrics is hardly to be named in events.
        let label = if self.settings.get("otlp.user_label").is_some() {
            "otlp.user_label"
        } else {
            "metrics.user_label"
        };
        let user_label = self.user_label(label)?;
        let otlp = otlp::complete(endpoint, protocol, self.environment, &mut self.problems)?;
        Some(OtlpConfig { user_label, ..otlp })
    }

    fn text(&self, path: &str) -> Option<String> {
        match self.settings.value(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// One of several words; the form of its key keeps it among them.
    fn choice<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    fn list(&self, path: &str) -> (Vec<String>, Option<Origin>) {
        let origin = self.origin(path);
        match self.settings.value(path) {
            Some(Value::List(texts)) => (texts, origin),
            Some(Value::Text(text)) => (vec![text], origin),
            _ => (Vec::new(), origin),
        }
    }

    fn flag(&self, path: &str) -> Option<bool> {
        match self.settings.value(path)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// A number; the form of its key keeps it within the type.
    fn number<T: TryFrom<i64>>(&self, path: &str) -> Option<T> {
        match self.settings.value(path)? {
            Value::Integer(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    fn origin(&self, path: &str) -> Option<Origin> {
        self.settings.get(path).map(|entry| entry.origin.clone())
    }

    /// Whether a setting, the file that holds it, or the region that implies it
    /// is known to be wrong: nothing is missing then.
    fn is_told(&self, path: &str) -> bool {
        let file = key::find(path).and_then(|key| key.file);
        let region = (path == "api.url").then_some("api.region");
        [Some(path), file, region].into_iter().flatten().any(|path| self.problems.has(path))
    }

    /// A text that must be there and not be empty.
    fn required(&mut self, path: &str) -> Option<String> {
        let text = self.text(path).filter(|text| !text.trim().is_empty());
        if text.is_none() && !self.is_told(path) {
            let origin = self.origin(path);
            let variable = variables::variable(path);
            let message = match (&origin, path) {
                (Some(_), _) => "must not be empty".to_owned(),
                (None, "api.url") => {
                    format!("is missing: set it or api.region in the file, or {variable}")
                }
                (None, _) => format!("is missing: set it in the file, or {variable}"),
            };
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
                let origin = self.origin(path);
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

/// A host's name in lower case, without the port that it may be written with.
fn host_name(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    let name = name.rsplit_once(':').map_or(name.as_str(), |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        Ok(name.to_owned())
    } else {
        Err(format!("{text:?} is no name of a host; expected one such as cii.example.com"))
    }
}
