//! Waits for a database server that is temporarily unavailable: a replica that is started during a
//! failover is ready right after it, without waiting for the next restart.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::{StartError, service_manager, waiting_room::WaitingRoom};
use crate::{
    config::{Config, StorePlace},
    store::StoreError,
};

/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Least time between two log lines about the same wait.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// How much longer the service manager is asked to wait after each try. The longest try is a commit
/// that waits for a standby, followed by the query for its result.
const EXTENSION: Duration = Duration::from_mins(5);

/// What to do about a server that takes no writes.
const WRITABLE: &str = "the server is a standby or read-only: promote it, name the primary in store.url, \
    too, or set default_transaction_read_only = off for the database and the role";

/// What a start does about a temporary failure of the database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It fails, for interactive use.
    Fail,
    /// It waits.
    Wait,
}

/// A wait for the database: answers requests, logs it, and extends the service manager's time limit.
pub(super) struct Wait<'a> {
    config: &'a Config,
    is_allowed: bool,
    /// The last logged reason, and when it was logged.
    logged: Option<(String, Instant)>,
    /// The listeners, once the first try failed.
    room: Option<WaitingRoom>,
}

impl<'a> Wait<'a> {
    /// A wait that has not begun.
    pub(super) fn new(config: &'a Config, patience: Patience) -> Self {
        let is_server = matches!(config.store.place, StorePlace::Server(_));
        let is_allowed = is_server && patience == Patience::Wait;
        Self { config, is_allowed, logged: None, room: None }
    }

    /// Waits until the next try.
    ///
    /// # Errors
    /// The same error, where waiting is not allowed or cannot help. When the wait begins and the
    /// address of a listener cannot be bound.
    pub(super) async fn wait_or_fail(&mut self, error: StoreError) -> Result<(), StartError> {
        if !self.is_allowed || !error.is_transient() {
            return Err(error.into());
        }
        let advice = error.is_read_only().then_some(WRITABLE);
        let why = advice.map_or_else(|| error.to_string(), |advice| format!("{error}: {advice}"));
        match &self.room {
            Some(room) => room.set_reason(&why),
            None => self.room = Some(WaitingRoom::open(self.config, why.clone()).await?),
        }
        self.log_reason(&error, advice, why);
        let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
        service_manager::notify(NotifyState::ExtendTimeoutUsec(extension));
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// Logs why the start waits, unless the same reason was logged within [`LOG_EVERY`].
    fn log_reason(&mut self, error: &StoreError, advice: Option<&str>, why: String) {
        let is_logged = self
            .logged
            .as_ref()
            .is_some_and(|(logged, at)| *logged == why && at.elapsed() < LOG_EVERY);
        if is_logged {
            return;
        }
        tracing::warn!(%error, advice, "the database cannot be used yet; the start waits for it");
        service_manager::notify(NotifyState::Status("waits for the database"));
        self.logged = Some((why, Instant::now()));
    }

    /// Closes the listeners, so that the daemon can bind their addresses.
    pub(super) async fn end(&mut self) {
        if let Some(room) = self.room.take() {
            room.close().await;
            tracing::info!("the database can be used; the start goes on");
            service_manager::notify(NotifyState::Status(""));
        }
    }
}
