//! Builds the configuration from the values of the settings.

mod listeners;
mod store;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    str::FromStr,
    time::Duration,
};

use reqwest::Url;
use secrecy::SecretString;

use super::{
    ApiConfig, Config, ConfigError, Environment, JobConfig, LogConfig, MetricsConfig, Origin,
    OtlpConfig, SyncConfig, TenantConfig, UserLabel, WatchConfig, checks, key, log_level,
    needs::Excuses,
    objectives, otlp, placeholder,
    problem::Problems,
    schedule, secret,
    settings::{Settings, Value},
    variables,
    web_url::parse_web_url,
    zone,
};
use crate::domain::{CheckId, Login, NullLists, Objectives, Retention};

/// The longest `sync.settle`: ended failures are shown for so long, and more would be misleading.
const LONGEST_SETTLE: Duration = Duration::from_hours(7 * 24);

/// The longest tenant name, which becomes a label of joined series.
const LONGEST_NAME: usize = 256;

/// Builds the configuration from the settings, or returns all problems.
pub(super) fn build(
    settings: Settings,
    environment: &Environment,
    excuses: Excuses,
    problems: Problems,
) -> Result<Config, ConfigError> {
    let mut building = Building { settings: &settings, environment, excuses: &excuses, problems };
    let config = building.build_config();
    let problems = building.problems;
    let config = config.map(|parts| {
        let open_files = secret::open_files(&settings, environment, &parts);
        Config { settings, open_files, withheld: excuses.withheld, ..parts }
    });
    problems.finish(config)
}

struct Building<'a> {
    settings: &'a Settings,
    environment: &'a Environment,
    excuses: &'a Excuses,
    problems: Problems,
}

impl Building<'_> {
    fn build_config(&mut self) -> Option<Config> {
        placeholder::refuse_placeholders(self.settings, &mut self.problems);
        // Builds every section before the first `?`, so that all problems are reported at once.
        let (webhook, ops, watch) = (self.webhook(), self.ops(), self.watch());
        let sync = self.sync();
        let user_label = self.user_label("metrics.user_label");
        let checks = checks::build(self.settings, &mut self.problems);
        let objectives = self.objectives();
        let tenant = self.tenant();
        let api = self.settings.has_table("api").then(|| self.api());
        let otlp = self.settings.has_table("otlp").then(|| self.otlp());
        let (store, level) = (self.store(), self.log_level());
        if let (Some(webhook), Some(ops)) = (&webhook, &ops) {
            self.check_listeners_differ(webhook.listen, ops.listen);
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
            tenant: tenant?,
            metrics: MetricsConfig {
                user_series: self.choice("metrics.user_series")?,
                user_label: user_label?,
                max_checks: self.number("metrics.max_checks")?,
            },
            objectives: objectives?,
            store: store?,
            otlp: match otlp {
                Some(otlp) => Some(otlp?),
                None => None,
            },
            log: LogConfig { level: level?, is_json: self.text("log.format")? == "json" },
            settings: Settings::default(),
            open_files: Vec::new(),
            withheld: BTreeMap::new(),
        })
    }

    fn log_level(&mut self) -> Option<String> {
        self.required_text("log.level")?;
        self.check_value("log.level", log_level::parse)
    }

    fn api(&mut self) -> Option<ApiConfig> {
        let (url, token_url) = (self.url("api.url"), self.url("api.token_url"));
        let (client_id, client_secret) =
            (self.required_text("api.client_id"), self.required_text("api.client_secret"));
        let audience = match self.text("api.audience") {
            Some(_) => Some(self.required_text("api.audience")?),
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
        let users = self.parse_each("watch.users", Login::new);
        let ips = self.parse_each("watch.ips", str::parse);
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

    fn tenant(&mut self) -> Option<TenantConfig> {
        if self.text("tenant.name").is_none() {
            return Some(TenantConfig::default());
        }
        let name = self.required_text("tenant.name")?.trim().to_owned();
        if name.len() > LONGEST_NAME {
            let origin = self.origin("tenant.name");
            let message = format!("must not be longer than {LONGEST_NAME} bytes");
            self.problems.add(origin.as_ref(), "tenant.name", message);
            return None;
        }
        Some(TenantConfig { name: Some(name) })
    }

    fn objectives(&mut self) -> Option<Objectives> {
        let mut by_severity = Vec::new();
        for severity in objectives::SEVERITIES {
            let path = format!("slo.{severity}");
            if self.text(&path).is_some() {
                let objective = self.check_value(&path, objectives::parse);
                by_severity.extend(objective.flatten().map(|time| (severity.to_owned(), time)));
            }
        }
        let except = self.parse_each("slo.except", |id| {
            CheckId::new(id).ok_or("a check's id must not be empty")
        });
        Some(Objectives::new(by_severity, except?))
    }

    fn user_label(&mut self, path: &'static str) -> Option<UserLabel> {
        Some(match self.text(path)?.as_str() {
            "id" => UserLabel::Id,
            "hash" => UserLabel::Hash(self.required_text("metrics.hash_key")?.into()),
            _ => UserLabel::Login,
        })
    }

    fn sync(&mut self) -> Option<SyncConfig> {
        let zone = self.check_value("sync.time_zone", zone::parse);
        let mut job = |table: &str| {
            let job = self.job(table)?;
            Some(JobConfig { schedule: job.schedule.in_zone(zone?), ..job })
        };
        let (users, ips) = (job("sync.users"), job("sync.ips"));
        let (tenant, service) = (job("sync.tenant"), job("sync.service"));
        let settle = self.check_value("sync.settle", |text| {
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
        let schedule = self.check_value(&format!("{table}.schedule"), schedule::parse);
        let on_start = self.flag(&format!("{table}.on_start"));
        Some(JobConfig { schedule: schedule?, on_start: on_start? })
    }

    fn otlp(&mut self) -> Option<OtlpConfig> {
        let endpoint = self.text("otlp.endpoint").map(|_| self.url("otlp.endpoint"));
        let protocol = self.choice("otlp.protocol");
        // By default events name users as metrics do: whoever hides them there hardly wants them in
        // events.
        let label = if self.settings.get("otlp.user_label").is_some() {
            "otlp.user_label"
        } else {
            "metrics.user_label"
        };
        let user_label = self.user_label(label);
        let headers = self.otlp_headers();
        let is_used = self.excuses.needs.is_daemon();
        let otlp =
            otlp::complete(endpoint, protocol, self.environment, is_used, &mut self.problems)?;
        Some(OtlpConfig {
            user_label: user_label?,
            ocsf: self.flag("otlp.ocsf").unwrap_or(false),
            headers: headers?.unwrap_or(otlp.headers),
            ..otlp
        })
    }

    /// The headers of the setting, which replace those of a variable.
    #[expect(clippy::option_option, reason = "nothing where one is wrong, as elsewhere")]
    fn otlp_headers(&mut self) -> Option<Option<BTreeMap<String, SecretString>>> {
        let path = "otlp.headers";
        if self.is_reported(path) {
            return None;
        }
        let (entries, origin) = self.list(path);
        let mut headers = BTreeMap::new();
        for (number, entry) in (1..).zip(&entries) {
            let Some((name, value)) = otlp::parse_header(entry) else {
                let message = format!(
                    "entry {number} of {} is no header; write name=value, such as \
                     authorization=Bearer%20…",
                    entries.len()
                );
                self.problems.add(origin.as_ref(), path, message);
                return None;
            };
            headers.insert(name, value);
        }
        Some((!entries.is_empty()).then_some(headers))
    }

    fn text(&self, path: &str) -> Option<String> {
        match self.settings.value(path)? {
            Value::Text(ref mut text) => Some(std::mem::take(text)),
            _ => None,
        }
    }

    /// The value of a setting with choices; the kind of its key guarantees one of them.
    fn choice<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    fn list(&self, path: &str) -> (Vec<String>, Option<Origin>) {
        let origin = self.origin(path);
        (self.settings.value(path).map_or_else(Vec::new, Value::into_texts), origin)
    }

    fn flag(&self, path: &str) -> Option<bool> {
        match self.settings.value(path)? {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// The retention of each kind in days; 0: for ever.
    fn retention_days(&self) -> Retention<u32> {
        let of_all: Option<u32> = self.number("store.retention_days");
        let days = |path| self.number(path).or(of_all).filter(|days| *days > 0);
        Retention {
            events: days("store.event_retention_days"),
            deliveries: days("store.delivery_retention_days"),
            failures: days("store.failure_retention_days"),
            snapshots: days("store.snapshot_retention_days"),
        }
    }

    /// A number; the range of its key guarantees that it fits the type.
    fn number<T: TryFrom<i64>>(&self, path: &str) -> Option<T> {
        match self.settings.value(path)? {
            Value::Integer(number) => T::try_from(number).ok(),
            _ => None,
        }
    }

    fn origin(&self, path: &str) -> Option<Origin> {
        self.settings.get(path).map(|entry| entry.origin.clone())
    }

    /// Whether a problem of the setting, of its file, or of the region that implies it is already
    /// reported. It is then not reported as missing, too.
    fn is_reported(&self, path: &str) -> bool {
        let file = key::find(path).and_then(|key| key.file);
        let region = (path == "api.url").then_some("api.region");
        [Some(path), file, region].into_iter().flatten().any(|path| self.problems.has_problem(path))
    }

    /// Whether a secret may be missing, because this command does not need it.
    fn may_lack(&self, path: &str) -> bool {
        let is_secret = key::find(path).is_some_and(|key| key.file.is_some());
        is_secret && self.settings.get(path).is_none() && self.excuses.is_excused(path)
    }

    /// A text that must be set and not empty.
    fn required_text(&mut self, path: &str) -> Option<String> {
        let text = self.text(path).filter(|text| !text.trim().is_empty());
        // An empty value is enough: the command does not use the secret.
        if text.is_none() && self.may_lack(path) {
            return Some(String::new());
        }
        if text.is_none() && !self.is_reported(path) {
            let origin = self.origin(path);
            let variable = variables::variable_name(path);
            let message = match (&origin, path) {
                (Some(_), _) => "must not be empty".to_owned(),
                (None, "api.url") => {
                    format!("is missing: set it or api.region in the file, or {variable}")
                }
                (None, _) => {
                    let file = key::find(path).and_then(|key| key.file);
                    let twin = file.map_or_else(String::new, |file| {
                        format!("; or {file}, to a file that holds it")
                    });
                    let withheld = self.excuses.withheld.get(path);
                    withheld.map_or_else(
                        || format!("is missing: set it in the file, or {variable}{twin}"),
                        |why| format!("{why}; run the command as root"),
                    )
                }
            };
            self.problems.add(origin.as_ref(), path, message);
        }
        text
    }

    fn check_value<T, E: Display>(
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

    fn url(&mut self, path: &str) -> Option<Url> {
        let text = self.required_text(path)?;
        // A placeholder is already reported, and is no URL.
        if self.is_reported(path) {
            return None;
        }
        self.check_value(path, |_| parse_web_url(&text))
    }

    fn parse_each<T: Ord, E: Display>(
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
