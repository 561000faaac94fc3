//! The configuration: a TOML file, overridden by the environment, with secrets in files.

mod beside;
mod build;
mod check_fields;
mod checks;
mod effective;
mod environment;
mod file;
mod key;
mod log_level;
mod mismatch;
mod needs;
mod objectives;
mod otlp;
mod placeholder;
mod problem;
mod region;
mod repeated;
mod resource;
mod schedule;
mod secret;
mod sections;
mod server;
mod settings;
#[cfg(test)]
mod tests;
mod unit;
mod user_label;
mod variables;
mod warning;
mod web_config;
mod web_url;
mod zone;

use std::{collections::BTreeMap, path::Path};

use secrecy::zeroize::Zeroizing;

use crate::domain::{ConfiguredChecks, Objectives};

pub use environment::Environment;
pub use needs::Needs;
pub use otlp::{ClientIdentity, OtlpConfig, OtlpProtocol};
pub use placeholder::is_placeholder;
pub use problem::{ConfigError, Origin, Problem};
pub use sections::{
    ApiConfig, BasicConfig, JobConfig, LogConfig, MetricsConfig, OpsConfig, StoreConfig,
    StorePlace, SyncConfig, TenantConfig, TokenRequest, UserSeries, WatchConfig, WebConfigFile,
    WebhookConfig,
};
pub use server::{
    ChannelBinding, CommitLevel, Keepalives, ServerConfig, ServerHost, ServerTls, TlsMode,
};
pub use user_label::UserLabel;
pub use web_config::{ClientAuth, Pem, TlsConfig, WebConfig, WebConfigError};
pub use web_url::parse_web_url;

use needs::Excuses;

/// The conventional path of the configuration, which the systemd unit uses, too.
const USUAL_PLACE: &str = "/etc/cii-exporter/config.toml";

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listener for deliveries.
    pub webhook: WebhookConfig,
    /// The listener for scrapes and operators.
    pub ops: OpsConfig,
    /// The service's API; nothing is polled without it.
    pub api: Option<ApiConfig>,
    /// The watched users and addresses.
    pub watch: WatchConfig,
    /// The schedules of polls and listings.
    pub sync: SyncConfig,
    /// Titles and severities of checks, for which no delivery has one.
    pub checks: ConfiguredChecks,
    /// The name of the tenant.
    pub tenant: TenantConfig,
    /// How metrics show users and checks.
    pub metrics: MetricsConfig,
    /// How long failures may last (`[slo]`).
    pub objectives: Objectives,
    /// The place of the store, and its retention.
    pub store: StoreConfig,
    /// The OTLP collector; no events are sent without it.
    pub otlp: Option<OtlpConfig>,
    /// The exporter's own log.
    pub log: LogConfig,
    settings: settings::Settings,
    /// Warnings about files with secrets that other users can read.
    open_files: Vec<String>,
    /// Settings whose secrets only the daemon can read, each with the reason.
    withheld: BTreeMap<&'static str, String>,
}

/// Path prefixes of the settings that a reload applies. The exceptions below need a restart: a
/// listener keeps its socket.
const RELOADED: [&str; 12] = [
    "metrics.",
    "ops.",
    "slo.",
    "watch.",
    "webhook.allow_from",
    "webhook.basic.",
    "webhook.bearer",
    "webhook.check_ids",
    "webhook.header",
    "webhook.public_url",
    "webhook.secrets",
    "webhook.trusted_proxies",
];
const NOT_RELOADED: [&str; 2] = ["ops.listen", "ops.web_config"];

/// The note that no configuration file was named or found.
fn describe_missing_file(usual: &Path) -> String {
    format!(
        "no configuration file was read: neither --config nor {} names one, and there is no {}",
        environment::CONFIG,
        usual.display()
    )
}

fn is_reloaded(path: &str) -> bool {
    RELOADED.iter().any(|begin| path.starts_with(begin)) && !NOT_RELOADED.contains(&path)
}

impl Config {
    /// Loads the file, if any, overridden by the environment. Without `file`, a variable may name
    /// one; otherwise the file at the conventional path is used.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        Self::load_with_fallback(file, Path::new(USUAL_PLACE), environment)
    }

    fn load_with_fallback(
        file: Option<&Path>,
        usual: &Path,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let named = environment.config_file();
        let usual_one = Some(usual).filter(|path| path.exists());
        let Some(path) = file.or(named.as_deref()).or(usual_one) else {
            return Self::from_text("", "", environment)
                .map_err(|error| error.with_note(describe_missing_file(usual)));
        };
        Self::from_file(path, environment, Excuses::NONE)
    }

    /// Loads it for a command beside the daemon, which needs only some secrets. The unit of the
    /// daemon supplies what systemd gives to it: the path of the configuration, variables, and
    /// credentials that can be read here.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load_beside(
        file: Option<&Path>,
        environment: &Environment,
        needs: Needs,
    ) -> Result<Self, ConfigError> {
        beside::load(file, Path::new(USUAL_PLACE), environment, needs)
    }

    fn from_file(
        path: &Path,
        environment: &Environment,
        excuses: Excuses,
    ) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| Problem {
            origin: None,
            key: String::new(),
            message: format!("cannot read {name}: {error}"),
        })?;
        Self::from_layers(&name, &text, environment, excuses)
    }

    /// Loads it from a text instead of a file; `name` is used in errors.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn from_text(
        name: &str,
        text: &str,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        Self::from_layers(name, text, environment, Excuses::NONE)
    }

    fn from_layers(
        name: &str,
        text: &str,
        environment: &Environment,
        mut excuses: Excuses,
    ) -> Result<Self, ConfigError> {
        let mut problems = problem::Problems::default();
        let mut settings = settings::Settings::default();
        settings.overlay(file::read(name, text, &mut problems)?, &mut problems);
        settings.overlay(variables::read(environment, &mut problems), &mut problems);
        secret::take_credentials(&mut settings, environment);
        excuses.withheld = secret::take_from_unit(&mut settings, excuses.unit.as_ref());
        secret::read_files(&mut settings, &excuses, &mut problems);
        region::apply_region(&mut settings);
        build::build(settings, environment, excuses, problems)
    }

    /// Renders the effective configuration as TOML, with the origin of each value and without
    /// secrets.
    #[must_use]
    pub fn effective_toml(&self) -> String {
        effective::render(&self.settings)
    }

    /// Whether the file or the environment sets this setting, such as `sync.users.schedule`.
    #[must_use]
    pub fn is_set(&self, path: &str) -> bool {
        self.settings.get(path).is_some()
    }

    /// Warnings about settings that are valid but probably not intended.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        warning::warnings(self)
    }

    /// Warnings about files with secrets that others than their owner can access.
    #[must_use]
    pub fn open_files(&self) -> &[String] {
        &self.open_files
    }

    /// Whether only the daemon can read the secret of this setting.
    #[must_use]
    pub fn is_withheld(&self, path: &str) -> bool {
        self.withheld.contains_key(path)
    }

    /// Notes about secrets that only the daemon can read.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.withheld.iter().map(|(path, why)| format!("{path}: {why}")).collect()
    }

    /// Removes the secrets that a reload can replace, so that those of the start do not stay in
    /// memory.
    #[must_use]
    pub fn without_exchangeable_secrets(mut self) -> Self {
        self.webhook.secrets.clear();
        self.webhook.bearer.clear();
        self.webhook.basic = None;
        self.ops.write_tokens.clear();
        self.metrics.user_label = UserLabel::Login;
        self.settings.remove(|key| key.file.is_some() && is_reloaded(key.path));
        self
    }

    /// The settings that differ from `running` and need a restart.
    #[must_use]
    pub fn needs_restart(&self, running: &Self) -> Vec<&'static str> {
        let changes_at_once = |path: &str| {
            // The OTLP resource, which has the tenant's name, is built at the start.
            is_reloaded(path) || (path == "tenant.name" && self.otlp.is_none())
        };
        let differs = |path: &str| self.settings.value(path) != running.settings.value(path);
        let mut waiting: Vec<_> = key::KEYS
            .iter()
            .map(|key| key.path)
            .filter(|path| !changes_at_once(path) && differs(path))
            .collect();
        // By default events name users as metrics do, so a change there can affect events.
        if let (Some(wanted), Some(running)) = (&self.otlp, &running.otlp)
            && !wanted.user_label.is_same(&running.user_label)
            && !waiting.contains(&"otlp.user_label")
        {
            waiting.push("otlp.user_label");
        }
        // An empty `[otlp]` turns the delivery on, so the table itself can be the difference.
        let is_named = waiting.iter().any(|path| path.starts_with("otlp."));
        if self.otlp.is_some() != running.otlp.is_some() && !is_named {
            waiting.push("otlp");
        }
        waiting
    }
}
