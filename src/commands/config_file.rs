//! The option `--config` of all commands that need the configuration.

use std::path::PathBuf;

use cii_exporter::{
    config::{Config, ConfigError, Environment, Needs},
    daemon::ConfigSource,
};
use clap::Args;

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigFile {
    /// The configuration, in TOML, else the file that the variable `CII_EXPORTER_CONFIG`
    /// names, else the one that the unit of systemd runs with, else
    /// `/etc/cii-exporter/config.toml`; without any, the environment alone decides.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// The source of the configuration: the file, overridden by the environment. The daemon loads
    /// it at each reload.
    pub(super) fn source(&self) -> ConfigSource {
        ConfigSource::from_file(self.config.clone())
    }

    /// Loads the configuration of the daemon. Secrets that are not in `needs` may be unreadable for
    /// this user.
    pub(super) fn load(&self, needs: Needs) -> Result<Config, ConfigError> {
        Config::load_beside(self.config.as_deref(), &Environment::of_process(), needs)
    }
}
