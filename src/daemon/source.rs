//! The source of the configuration, at the start and at each reload.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::config::{Config, ConfigError, Environment};

/// Loads the configuration, any number of times. Clones load the same one.
#[derive(Clone)]
pub struct ConfigSource(Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

impl ConfigSource {
    /// The given file, else the one that the environment names, overridden by the environment.
    #[must_use]
    pub fn from_file(path: Option<PathBuf>) -> Self {
        Self::new(move || Config::load(path.as_deref(), &Environment::of_process()))
    }

    /// Any other way to load it.
    #[must_use]
    pub fn new(load: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(load))
    }

    /// Loads it.
    ///
    /// # Errors
    /// When it is invalid.
    pub fn load(&self) -> Result<Config, ConfigError> {
        (self.0)()
    }
}

impl fmt::Debug for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigSource(..)")
    }
}
