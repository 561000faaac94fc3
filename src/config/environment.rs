//! The process's environment. No other module reads it, so that tests can pass variables.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// The variable that names the configuration file.
pub(super) const CONFIG: &str = "CII_EXPORTER_CONFIG";
/// The variable that names the systemd unit of the daemon.
pub(super) const UNIT: &str = "CII_EXPORTER_UNIT";
/// The variable with a log filter in the form of the crate `tracing`.
const LOG: &str = "RUST_LOG";
/// The prefix of the variables of OpenTelemetry's specification.
const STANDARD: &str = "OTEL_";

/// The standard variables with an OTLP endpoint. Of all standard variables, only these turn the
/// delivery on.
pub(super) const OTLP_ENDPOINTS: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// A snapshot of environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

/// Some of the values are secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment(..)")
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Keeps only the variables of OpenTelemetry's specification.
    #[must_use]
    pub fn only_standard(self) -> Self {
        let is_standard = |name: &OsStr| name.to_string_lossy().starts_with(STANDARD);
        self.0.into_iter().filter(|(name, _)| is_standard(name)).collect()
    }

    /// The configuration file that a variable names.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        self.get(CONFIG).map(PathBuf::from)
    }

    /// The systemd unit that a variable names, for commands beside the daemon.
    pub(super) fn unit(&self) -> Option<PathBuf> {
        self.get(UNIT).map(PathBuf::from)
    }

    /// Adds variables that are not set yet.
    pub(super) fn with_fallback<N: Into<OsString>, V: Into<OsString>>(
        &self,
        below: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut all: Self = below.into_iter().collect();
        all.0.extend(self.0.clone());
        all
    }

    /// The log filter, which takes precedence over the configuration.
    #[must_use]
    pub fn log_filter(&self) -> Option<&str> {
        self.get(LOG)?.to_str()
    }

    /// Whether a variable has an OTLP endpoint.
    #[must_use]
    pub fn has_collector(&self) -> bool {
        OTLP_ENDPOINTS.into_iter().any(|name| self.get(name).is_some())
    }

    /// The value of a variable; an empty one counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// All variables, including empty ones.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}
