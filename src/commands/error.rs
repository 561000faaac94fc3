//! The errors of commands.

use cii_exporter::{
    cii::{ApiError, HttpSetupError},
    config::ConfigError,
    store::{MoveError, StoreError},
};

use crate::exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the configuration has no [api]; the service cannot be asked without it")]
    NoApi,
    #[error(transparent)]
    Http(#[from] HttpSetupError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error("the metrics of the client cannot be made: {0}")]
    Meters(#[from] prometheus::Error),
    #[error("cannot write {target}: {source}")]
    Output { target: String, source: std::io::Error },
    #[error(
        "the daemon at {url} does not answer ({reason}); see that it runs: `cii-exporter run`, or \
         its unit"
    )]
    Daemon { url: String, reason: String },
    #[error("{0}")]
    Refused(String),
}

impl CommandError {
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::NoApi
            | Self::Move(MoveError::Files)
            | Self::Store(StoreError::Missing { is_relative: true, .. }) => exit::USAGE,
            _ => exit::START_FAILED,
        }
    }
}
