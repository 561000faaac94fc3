//! Waits for a database server that is temporarily unavailable: a replica that is started during a
//! failover is ready right after it, without waiting for the next restart.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::{StartError, listener::BoundSockets, service_manager, waiting_room::WaitingRoom};
use crate::{
    config::{Config, StorePlace},
    store::StoreError,
};

/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Pause where the store could be opened and a later step failed: each try logs what opening logs, and
/// can take the lease from another replica for a moment.
const LONG_PAUSE: Duration = Duration::from_secs(15);

/// What is waited for before the first try has ended.
const OPENING: &str = "it is being opened, or brought up to date";

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
    /// Both listeners, from the first try on.
    room: Option<WaitingRoom>,
    /// Whether this try came past opening the store.
    has_opened: bool,
}

impl<'a> Wait<'a> {
    /// A wait that has not begun.
    pub(super) fn new(config: &'a Config, patience: Patience) -> Self {
        let is_server = matches!(config.store.place, StorePlace::Server(_));
        let is_allowed = is_server && patience == Patience::Wait;
        Self { config, is_allowed, logged: None, room: None, has_opened: false }
    }

    /// Begins a try: both listeners answer from now on, since a single try can take minutes.
    ///
    /// # Errors
    /// When the address of a listener cannot be bound.
    pub(super) async fn begin_try(&mut self) -> Result<(), StartError> {
        self.has_opened = false;
        if self.is_allowed && self.room.is_none() {
            self.room = Some(WaitingRoom::open(self.config, OPENING.to_owned()).await?);
        }
        Ok(())
    }

    /// Records that the store is open: a failure from now on is about the daemon's own first steps.
    pub(super) const fn record_opened(&mut self) {
        self.has_opened = true;
    }

    /// Waits until the next try.
    ///
    /// # Errors
    /// The same error, where waiting is not allowed or cannot help; and when a listener failed: nobody
    /// would learn what the start waits for.
    pub(super) async fn wait_or_fail(&mut self, error: StoreError) -> Result<(), StartError> {
        if !self.is_allowed || !error.is_transient() {
            return Err(error.into());
        }
        let advice = error.is_read_only().then_some(WRITABLE);
        let why = advice.map_or_else(|| error.to_string(), |advice| format!("{error}: {advice}"));
        if let Some(room) = &self.room {
            room.set_reason(&why);
        }
        self.log_reason(&error, advice, why);
        let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
        service_manager::notify(NotifyState::ExtendTimeoutUsec(extension));
        let pause = if self.has_opened { LONG_PAUSE } else { PAUSE };
        let failed = async {
            match &mut self.room {
                Some(room) => room.wait_for_failure().await,
                None => std::future::pending().await,
            }
        };
        tokio::time::timeout(pause, failed).await.map_or(Ok(()), |ended| Err(ended.into()))
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

    /// Ends the wait. The daemon's listeners take the returned sockets over.
    pub(super) async fn end(&mut self) -> BoundSockets {
        let Some(room) = self.room.take() else { return BoundSockets::default() };
        let sockets = room.close().await;
        if self.logged.take().is_some() {
            tracing::info!("the database can be used; the start goes on");
            service_manager::notify(NotifyState::Status(""));
        }
        sockets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_fails_ends_the_wait() {
        let text =
            "[webhook]\nsecrets = [\"s\"]\n[store]\nurl = \"postgres://cii@localhost/cii\"\n";
        let config = Config::from_text("", text, &Environment::default()).unwrap();
        let mut wait = Wait::new(&config, Patience::Wait);
        wait.room = Some(WaitingRoom::of_failing_listener());
        let failed = wait.wait_or_fail(StoreError::Busy).await.unwrap_err();
        assert_eq!(failed.to_string(), "the task webhook listener ended early: a request panicked");
    }
}
