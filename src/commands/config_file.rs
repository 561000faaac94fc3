//! The option that every command has which needs the configuration.

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
    /// The file with the process's environment over it, to load now and at each reload.
    pub(super) fn source(&self) -> ConfigSource {
        ConfigSource::from_file(self.config.clone())
    }

    /// Loads what the daemon runs with, for a command that needs these secrets.
    pub(super) fn load(&self, needs: Needs) -> Result<Config, ConfigError> {
        Config::load_beside(self.config.as_deref(), &Environment::of_process(), needs)
    }
}
