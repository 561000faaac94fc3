//! The common part of serving, for TCP and Unix sockets.

use std::{
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::rt::Executor;
use tokio::sync::{Notify, watch};

use super::meters::Meters;
use crate::throttle::Throttle;

/// Pause after a failed accept, which happens when file descriptors are exhausted.
const PAUSE: Duration = Duration::from_millis(100);

/// How long running requests may take at shutdown.
pub(super) const LAST_ANSWERS: Duration = Duration::from_millis(2500);

/// The connections of one listener.
pub(super) struct Serving {
    /// The listener's name in the log and on metrics.
    name: &'static str,
    meters: Meters,
    /// Tells connections of the shutdown, and by its end to cut off. Each holds a receiver until it
    /// ends.
    shutdown: watch::Sender<()>,
    panicked: Arc<Notify>,
    failures: Throttle,
}

impl Serving {
    pub(super) fn new(name: &'static str, meters: Meters) -> Self {
        Self {
            name,
            meters,
            shutdown: watch::Sender::new(()),
            panicked: Arc::default(),
            failures: Throttle::default(),
        }
    }

    /// Waits until a request panics.
    pub(super) async fn wait_for_panic(&self) -> io::Error {
        self.panicked.notified().await;
        io::Error::other("a request panicked")
    }

    /// Counts a failed accept, and pauses unless the error concerns only this connection.
    pub(super) async fn handle_accept_error(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        self.meters.refused.with_label_values(&[self.name, "accept"]).inc();
        if let Some(untold) = self.failures.next(Instant::now()) {
            tracing::error!(listener = self.name, %error, untold, "connections cannot be accepted");
        }
        tokio::time::sleep(PAUSE).await;
    }

    /// Creates the receiver of a connection, which holds it until it ends. It changes at the shutdown,
    /// and fails when the connection is to be cut off.
    pub(super) fn shutdown(&self) -> watch::Receiver<()> {
        self.shutdown.subscribe()
    }

    /// Creates the spawner for tasks of a connection.
    pub(super) fn spawner(&self) -> Spawner {
        Spawner(self.panicked.clone())
    }

    /// Spawns the task of a connection, which holds its slot until it ends.
    pub(super) fn spawn_connection(
        &self,
        connection: impl Future<Output = ()> + Send + 'static,
        place: impl Send + 'static,
    ) {
        let open = self.meters.open.with_label_values(&[self.name]);
        open.inc();
        self.spawner().execute(async move {
            connection.await;
            drop(place);
            open.dec();
        });
    }

    /// Waits for running requests, at most [`LAST_ANSWERS`]. Connections that remain are cut off.
    pub(super) async fn finish(self) {
        self.shutdown.send_replace(());
        if tokio::time::timeout(LAST_ANSWERS, self.shutdown.closed()).await.is_err() {
            tracing::warn!(
                listener = self.name,
                "connections that did not end in time are cut off"
            );
        }
    }
}

/// Notifies the listener when it is dropped by a panic: a connection's task is not joined, so its
/// panic would go unnoticed.
struct TellsPanic(Arc<Notify>);

impl Drop for TellsPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.notify_one();
        }
    }
}

/// Spawns tasks of connections and of HTTP/2 requests, whose panics reach the listener.
#[derive(Clone)]
pub(super) struct Spawner(Arc<Notify>);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Spawner {
    fn execute(&self, future: F) {
        let panics = TellsPanic(self.0.clone());
        tokio::spawn(async move {
            let _panics = panics;
            future.await
        });
    }
}
