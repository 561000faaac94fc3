//! Builds the daemon from its configuration, supervises its tasks, and stops
//! them in order. The only room that spawns tasks.

mod announce;
mod assemble;
mod defaults;
mod duties;
mod error;
mod lead;
mod listener;
mod opening;
mod panics;
mod proofs;
mod reload;
mod reload_meters;
mod rules;
mod service_manager;
mod shared_rules;
mod source;
mod tasks;
mod wait;
mod waiting_room;

use std::{
    future::Future,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use sd_notify::NotifyState;
use tokio::{sync::watch, time::Instant};

use crate::{
    config::Config,
    store::{Store, WriterThread},
    web::Readiness,
};

pub use error::{EndedEarly, StartError};
pub use rules::rules as delivery_rules;
pub use source::ConfigSource;
use tasks::Tasks;
use wait::Patience;

/// Time limit of the whole shutdown: container runtimes kill after 10 s.
const STOPPING: Duration = Duration::from_millis(9500);

/// The part of it for the last commit and for closing the database.
const LAST_COMMIT: Duration = Duration::from_millis(1500);

/// A running daemon.
pub struct Daemon {
    addresses: Addresses,
    tasks: Tasks,
    readiness: watch::Sender<Readiness>,
    store: Store,
    writer: WriterThread,
}

/// The addresses on which the daemon listens.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The socket for webhook deliveries.
    pub webhook: SocketAddr,
    /// The scheme for deliveries: `http` or `https`.
    pub webhook_scheme: &'static str,
    /// The socket for scrapes and operators.
    pub ops: SocketAddr,
    /// The scheme of the ops listener: `http` or `https`.
    pub ops_scheme: &'static str,
    /// The path of deliveries.
    pub webhook_path: String,
}

impl Addresses {
    /// The URL for deliveries.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("{}://{}{}", self.webhook_scheme, self.webhook, self.webhook_path)
    }

    /// The URL of the ops listener for programs on this machine.
    #[must_use]
    pub fn local_ops_url(&self) -> String {
        format!("{}://{}", self.ops_scheme, local_address(self.ops))
    }

    /// The URL for deliveries from this machine.
    #[must_use]
    pub fn local_webhook_url(&self) -> String {
        format!("{}://{}{}", self.webhook_scheme, local_address(self.webhook), self.webhook_path)
    }

    /// The URL of a page of the ops listener.
    #[must_use]
    pub fn ops_url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.ops_scheme, self.ops)
    }
}

/// The address under which this machine reaches a listener.
fn local_address(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let is_v4 = address.is_ipv4();
        address.set_ip(if is_v4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// Checks that TLS of both listeners can be built from the configured files.
///
/// # Errors
/// When a file cannot be read, or does not match the others.
pub fn check_tls(config: &Config) -> Result<(), StartError> {
    for (setting, file) in [
        ("webhook.web_config", &config.webhook.web_config),
        ("ops.web_config", &config.ops.web_config),
    ] {
        if let Some(file) = file {
            let wrong = |reason| StartError::Web { setting, reason };
            listener::check_tls(&file.config).map_err(wrong)?;
        }
    }
    Ok(())
}

impl Daemon {
    /// Opens the store, builds the metrics, and starts all tasks. Deliveries are accepted when this
    /// returns.
    ///
    /// # Errors
    /// When the configuration cannot be loaded, or a part cannot be started.
    pub async fn start(source: ConfigSource) -> Result<Self, StartError> {
        // Boxed, because the future is large.
        Box::pin(assemble::assemble(source, Patience::Fail)).await
    }

    /// The same, but waits for a database server that is unreachable, read-only, or without its
    /// standby.
    ///
    /// # Errors
    /// As above.
    pub async fn start_patiently(source: ConfigSource) -> Result<Self, StartError> {
        Box::pin(assemble::assemble(source, Patience::Wait)).await
    }

    /// The addresses on which the daemon listens.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Runs until `stop` resolves, then shuts down in order: listeners, jobs, the running OTLP
    /// batch, the store's writer. Producers stop before consumers.
    ///
    /// # Errors
    /// When a task ended before the stop signal.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), EndedEarly> {
        self.readiness.send_replace(Readiness::Ready);
        service_manager::notify(NotifyState::Ready);
        let ended = tokio::select! {
            () = stop => None,
            ended = self.tasks.wait_for_end() => Some(ended),
        };
        if let Some(ended) = &ended {
            tracing::error!(task = ended.task, reason = %ended.reason, "a task ended early");
        } else {
            tracing::info!("stopping: what is in hand is finished first");
        }
        self.stop().await;
        ended.map_or(Ok(()), Err)
    }

    async fn stop(self) {
        let end = Instant::now() + STOPPING;
        self.readiness.send_replace(Readiness::Stopping);
        service_manager::notify(NotifyState::Stopping);
        self.tasks.stop().await;
        self.store.resign().await;
        drop(self.store);
        let writing =
            self.writer.stop_within(end.saturating_duration_since(Instant::now() + LAST_COMMIT));
        if tokio::time::timeout_at(end, writing).await.is_err() {
            tracing::warn!(
                "a commit takes too long; it is given up, and nothing acknowledged is lost"
            );
            return;
        }
        tracing::info!("stopped");
    }
}
