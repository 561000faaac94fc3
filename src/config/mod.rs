//! The configuration: a TOML file, the environment over it, secrets in files.

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

/// Where the configuration is by convention, and as the unit for systemd has it.
const USUAL_PLACE: &str = "/etc/cii-exporter/config.toml";

/// Everything an operator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listener that takes deliveries.
    pub webhook: WebhookConfig,
    /// The listener for scrapes and operators.
    pub ops: OpsConfig,
    /// The service's API; without it, nothing is polled.
    pub api: Option<ApiConfig>,
    /// What is polled.
    pub watch: WatchConfig,
    /// When it is polled.
    pub sync: SyncConfig,
    /// What the operator says of checks, where no delivery says it.
    pub checks: ConfiguredChecks,
    /// What people call the tenant.
    pub tenant: TenantConfig,
    /// What the metrics tell of persons.
    pub metrics: MetricsConfig,
    /// How long failures may last.
    pub objectives: Objectives,
    /// Where state is kept.
    pub store: StoreConfig,
    /// Where events are sent; without it, nowhere.
    pub otlp: Option<OtlpConfig>,
    /// The exporter's own log.
    pub log: LogConfig,
    settings: settings::Settings,
    /// Files with secrets that others can read, as warnings.
    open_files: Vec<String>,
    /// Settings whose secrets the daemon is given and that cannot be read here, each with the
    /// reason.
    withheld: BTreeMap<&'static str, String>,
}

/// The begins of the settings that a reload applies, and those of them that it does not: the
/// listener stays where it is.
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

/// That nothing named a file, in words.
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
    /// Loads the file, if any, with the environment over it. Without a file, the
    /// environment may name one; where it does not, the file counts that is at the usual place.
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

    /// Loads it for a command beside the daemon, which needs only some secrets. What systemd
    /// gives to the daemon is taken from its unit: the configuration that it runs with,
    /// variables, and credentials as far as they can be read here.
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

    /// The same, from a text in place of a file; `name` is used in errors.
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

    /// What the configuration comes to, as TOML, with the origin of each value
    /// and without secrets.
    #[must_use]
    pub fn effective_toml(&self) -> String {
        effective::render(&self.settings)
    }

    /// Whether the operator set this setting, such as `sync.users.schedule`,
    /// in the file or in the environment.
    #[must_use]
    pub fn is_set(&self, path: &str) -> bool {
        self.settings.get(path).is_some()
    }

    /// What is allowed and probably not meant.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        warning::warnings(self)
    }

    /// Files with secrets that others than their owner have rights to, in words.
    #[must_use]
    pub fn open_files(&self) -> &[String] {
        &self.open_files
    }

    /// Whether the daemon is given the secret of this setting, and it cannot be read here.
    #[must_use]
    pub fn is_withheld(&self, path: &str) -> bool {
        self.withheld.contains_key(path)
    }

    /// What the daemon is given and cannot be read here, in words.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.withheld.iter().map(|(path, why)| format!("{path}: {why}")).collect()
    }

    /// The same without the secrets that can change while running: nobody needs to remember
    /// those of the start once they were exchanged.
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

    /// The settings that differ from `running` and cannot change while running.
    #[must_use]
    pub fn needs_restart(&self, running: &Self) -> Vec<&'static str> {
        let changes_at_once = |path: &str| {
            // Whoever the events are from is told at the start.
            is_reloaded(path) || (path == "tenant.name" && self.otlp.is_none())
        };
        let differs = |path: &str| self.settings.value(path) != running.settings.value(path);
        let mut waiting: Vec<_> = key::KEYS
            .iter()
            .map(|key| key.path)
            .filter(|path| !changes_at_once(path) && differs(path))
            .collect();
        // By default, events name people as metrics do.
        if let (Some(wanted), Some(running)) = (&self.otlp, &running.otlp)
            && !wanted.user_label.is_same(&running.user_label)
            && !waiting.contains(&"otlp.user_label")
        {
            waiting.push("otlp.user_label");
        }
        // The table counts on its own, without a setting in it.
        let is_named = waiting.iter().any(|path| path.starts_with("otlp."));
        if self.otlp.is_some() != running.otlp.is_some() && !is_named {
            waiting.push("otlp");
        }
        waiting
    }
}
