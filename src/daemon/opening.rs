//! Opens the store, and waits for a database server that is temporarily unavailable: a replica that
//! is started during a failover is ready right after it, without waiting for the next restart.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::{StartError, defaults, service_manager, waiting_room::WaitingRoom};
use crate::{
    blocking, clock,
    config::{Config, StorePlace},
    domain::Timestamp,
    ledger::change::TrustClock,
    store::{Reader, Store, StoreError, WriterThread},
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

/// An opened store, in which a commit has succeeded.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) writer: WriterThread,
    /// The last moment before this start at which the clock was trusted.
    pub(super) trusted: Option<Timestamp>,
}

/// Opens the store, and commits the first change. It waits for a disk, and with [`Patience::Wait`]
/// for a server that is unreachable, read-only, or without its standby. Meanwhile both listeners
/// answer from a [`WaitingRoom`], and a signal may end the process: creation and upgrade are one
/// transaction.
///
/// # Errors
/// When the failure is permanent: a password, a right, a version, a file. When a wait begins and the
/// address of a listener cannot be bound.
pub(super) async fn open_store(config: &Config, patience: Patience) -> Result<Opened, StartError> {
    let mut wait = Wait::new(config, patience);
    let (store, writer) = loop {
        let place = config.store.place.clone();
        let opened = blocking::run(move || Store::open_at(&place)).await;
        match opened.ok_or(StoreError::Closed)? {
            Ok(opened) => break opened,
            Err(error) => wait.wait_or_fail(error).await?,
        }
    };
    let trusted = loop {
        match trust_clock(&store).await {
            Ok(trusted) => break trusted,
            // The state of the server explains more than the error of a single commit.
            Err(error) if error.is_transient() => {
                wait.wait_or_fail(store.trouble().unwrap_or(error)).await?;
            }
            Err(error) => return Err(error.into()),
        }
    };
    wait.end().await;
    if store.had_former_defaults() && config.api.is_some() {
        defaults::log_changed_defaults(config);
    }
    Ok(Opened { store, writer, trusted })
}

/// Reads the last moment before this start at which the clock was trusted.
async fn trust_clock(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    // Read before anything is stored with the clock of this start: rows dated by a wrong clock must
    // not confirm that clock.
    let trusted = store.read(Reader::trusted_moment).await?;
    store.commit(TrustClock { at: trusted.unwrap_or_else(clock::now) }).await?;
    Ok(trusted)
}

/// A wait for the database: answers requests, logs it, and extends the service manager's time limit.
struct Wait<'a> {
    config: &'a Config,
    is_allowed: bool,
    /// The last logged reason, and when it was logged.
    logged: Option<(String, Instant)>,
    /// The listeners, once the first try failed.
    room: Option<WaitingRoom>,
}

impl<'a> Wait<'a> {
    fn new(config: &'a Config, patience: Patience) -> Self {
        let is_server = matches!(config.store.place, StorePlace::Server(_));
        let is_allowed = is_server && patience == Patience::Wait;
        Self { config, is_allowed, logged: None, room: None }
    }

    /// Waits until the next try, or fails where waiting is not allowed or cannot help.
    async fn wait_or_fail(&mut self, error: StoreError) -> Result<(), StartError> {
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
    async fn end(self) {
        if let Some(room) = self.room {
            room.close().await;
            tracing::info!("the database can be used; the start goes on");
            service_manager::notify(NotifyState::Status(""));
        }
    }
}
