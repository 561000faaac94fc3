//! Where the configuration comes from, now and at each reload.

use std::{fmt, path::PathBuf};

use crate::config::{Config, ConfigError, Environment};

/// Loads the configuration, as often as asked.
pub struct ConfigSource(Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

impl ConfigSource {
    /// The file, else the one that the environment names, with the process's environment
    /// over it.
    #[must_use]
    pub fn from_file(path: Option<PathBuf>) -> Self {
        Self::new(move || Config::load(path.as_deref(), &Environment::of_process()))
    }

    /// Any other way to load it.
    #[must_use]
    pub fn new(load: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static) -> Self {
        Self(Box::new(load))
    }

    /// Loads it.
    ///
    /// # Errors
    /// When it is wrong.
    pub fn load(&self) -> Result<Config, ConfigError> {
        (self.0)()
    }
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigSource(..)")
    }
}
