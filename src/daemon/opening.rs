//! Opening the store. A server that is away for now is waited for: a replica that is started during
//! a failover comes up once that is over, and not when whoever starts it again next tries.

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

/// How often the log says that it is still waited for, for the same reason.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// How much longer the service manager waits after each try. One takes longest where a commit waits
/// for a standby, and what became of it is looked up.
const EXTENSION: Duration = Duration::from_mins(5);

/// What to do about a server that takes no writes.
const WRITABLE: &str = "the server is a standby or read-only: promote it, name the primary in store.url, \
    too, or set default_transaction_read_only = off for the database and the role";

/// What a start does while a server cannot be used, and that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It fails, for somebody who sits before it.
    Fail,
    /// It waits.
    Wait,
}

/// A store that commits.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) writer: WriterThread,
    /// The last moment before this start at which the clock was believed.
    pub(super) trusted: Option<Timestamp>,
}

/// Opens the store, and commits the first change. Waits for a disk, and, where it may, for a server that
/// cannot be reached, takes no writes, or whose standby is away. Meanwhile both listeners say so, and a
/// signal ends the process: what is being made or upgraded is one transaction.
///
/// # Errors
/// When the store cannot be used, and that does not pass: a password, a right, a version, a file. When it
/// is waited for, and a listener cannot be had.
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
            // What is seen of the server says more than what one commit ended with.
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

/// The last moment before this start at which the clock was believed.
async fn trust_clock(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    // Before anything is stored by the clock of this start, and kept: what that dates must
    // not vouch for it at the next one.
    let trusted = store.read(Reader::trusted_moment).await?;
    store.commit(TrustClock { at: trusted.unwrap_or_else(clock::now) }).await?;
    Ok(trusted)
}

/// A wait for the database, and what was said of it.
struct Wait<'a> {
    config: &'a Config,
    is_allowed: bool,
    /// What the log said last, and when.
    logged: Option<(String, Instant)>,
    /// What answers meanwhile.
    room: Option<WaitingRoom>,
}

impl<'a> Wait<'a> {
    fn new(config: &'a Config, patience: Patience) -> Self {
        let is_server = matches!(config.store.place, StorePlace::Server(_));
        let is_allowed = is_server && patience == Patience::Wait;
        Self { config, is_allowed, logged: None, room: None }
    }

    /// Waits until the next try, where one can help.
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

    /// Says in the log what is waited for, unless it did a moment ago.
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

    /// Leaves the listeners' addresses to the daemon.
    async fn end(self) {
        if let Some(room) = self.room {
            room.close().await;
            tracing::info!("the database can be used; the start goes on");
            service_manager::notify(NotifyState::Status(""));
        }
    }
}
