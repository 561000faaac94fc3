//! The process's environment. Nobody else reads it.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// The variable that names the configuration file.
pub(super) const CONFIG: &str = "CII_EXPORTER_CONFIG";
/// The variable that names the unit that the daemon runs as.
pub(super) const UNIT: &str = "CII_EXPORTER_UNIT";
/// The variable that says what is logged, in the form of the crate `tracing`.
const LOG: &str = "RUST_LOG";
/// What the names of the variables begin with that OpenTelemetry's specification has.
const STANDARD: &str = "OTEL_";

/// The standard variables that name an OTLP endpoint, which alone turn the
/// delivery on.
pub(super) const OTLP_ENDPOINTS: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Variables of the environment, as they are when they are taken.
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
    /// Those of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads them")]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Those alone that OpenTelemetry's specification names.
    #[must_use]
    pub fn only_standard(self) -> Self {
        let is_standard = |name: &OsStr| name.to_string_lossy().starts_with(STANDARD);
        self.0.into_iter().filter(|(name, _)| is_standard(name)).collect()
    }

    /// The configuration file that is named.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        self.get(CONFIG).map(PathBuf::from)
    }

    /// The unit of systemd that is named, for commands beside it.
    pub(super) fn unit(&self) -> Option<PathBuf> {
        self.get(UNIT).map(PathBuf::from)
    }

    /// The same with more variables, which those that are there win over.
    pub(super) fn with_fallback<N: Into<OsString>, V: Into<OsString>>(
        &self,
        below: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut all: Self = below.into_iter().collect();
        all.0.extend(self.0.clone());
        all
    }

    /// What is to be logged, whatever the configuration says.
    #[must_use]
    pub fn log_filter(&self) -> Option<&str> {
        self.get(LOG)?.to_str()
    }

    /// Whether an OTLP endpoint is named.
    #[must_use]
    pub fn has_collector(&self) -> bool {
        OTLP_ENDPOINTS.into_iter().any(|name| self.get(name).is_some())
    }

    /// The value of a variable; one that is empty counts as not set.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// All of them, also those that are empty.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}
