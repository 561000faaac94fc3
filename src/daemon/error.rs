//! Errors of the daemon's start and of its run.

use std::net::SocketAddr;

use crate::{
    cii,
    config::{ConfigError, StorePlace},
    delivery::OtlpStartError,
    store::StoreError,
    sync,
};

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened or read.
    #[error("cannot use the store: {0}")]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({setting}): {source}")]
    Listen {
        /// The setting that names the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: std::io::Error,
    },
    /// TLS or users of a listener cannot be loaded.
    #[error("{setting}: {reason}")]
    Web {
        /// The setting that names the file.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The API client cannot be created.
    #[error("cannot use the API: {0}")]
    Api(#[from] cii::HttpSetupError),
    /// The OTLP delivery cannot be built.
    #[error("cannot send to the OTLP collector: {0}")]
    Otlp(#[from] OtlpStartError),
    /// The scheduler cannot be started.
    #[error("cannot schedule: {0}")]
    Schedule(#[from] sync::SchedulerError),
    /// Two metrics have the same name.
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A listener ended while the start waited for the database.
    #[error(transparent)]
    EndedEarly(#[from] EndedEarly),
}

impl StartError {
    /// Adds the database to a store error, and what to do about it.
    pub(super) fn with_database(self, place: &StorePlace) -> Self {
        match self {
            Self::Store(error) => Self::Store(error.with_place(place)),
            other => other,
        }
    }

    /// Whether the cause is the configuration, and not the machine.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Otlp(_) | Self::Web { .. })
    }
}

/// A task ended although the daemon was not stopping.
#[derive(Debug, thiserror::Error)]
#[error("the task {task} ended early: {reason}")]
pub struct EndedEarly {
    /// The task's name.
    pub task: &'static str,
    /// Its error.
    pub reason: String,
}
