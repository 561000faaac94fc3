//! Opening the store. A server that is away for now is waited for: a replica that is started during
//! a failover comes up once that is over, and not when whoever starts it again next tries.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::{defaults, service_manager};
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
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// How much longer the service manager waits after each try. One takes longest where a commit waits
/// for a standby, and what became of it is looked up.
const EXTENSION: Duration = Duration::from_mins(5);

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
/// cannot be reached, takes no writes, or whose standby is away. Meanwhile a signal ends the process: what is
/// being made or upgraded is one transaction.
///
/// # Errors
/// When the store cannot be used, and that does not pass: a password, a right, a version, a file.
pub(super) async fn open_store(config: &Config, patience: Patience) -> Result<Opened, StoreError> {
    let mut wait = Wait::new(&config.store.place, patience);
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
            Err(error) => return Err(error),
        }
    };
    wait.report_end();
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

/// What is told of a wait.
struct Wait {
    may_wait: bool,
    /// What was told last, and when.
    told: Option<(String, Instant)>,
}

impl Wait {
    fn new(place: &StorePlace, patience: Patience) -> Self {
        let is_server = matches!(place, StorePlace::Server(_));
        Self { may_wait: is_server && patience == Patience::Wait, told: None }
    }

    /// Waits until the next try, where one can help.
    async fn wait_or_fail(&mut self, error: StoreError) -> Result<(), StoreError> {
        if !self.may_wait || !error.is_transient() {
            return Err(error);
        }
        let why = error.to_string();
        let is_told =
            self.told.as_ref().is_some_and(|(told, at)| *told == why && at.elapsed() < TOLD_EVERY);
        if !is_told {
            let advice = error.is_read_only().then_some(
                "the server is a standby or read-only: promote it, name the primary in store.url, \
                 too, or set default_transaction_read_only = off for the database and the role",
            );
            tracing::warn!(%error, advice, "the database cannot be used yet; the start waits for it");
            service_manager::notify(NotifyState::Status("waits for the database"));
            self.told = Some((why, Instant::now()));
        }
        let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
        service_manager::notify(NotifyState::ExtendTimeoutUsec(extension));
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    fn report_end(self) {
        if self.told.is_some() {
            tracing::info!("the database can be used; the start goes on");
            service_manager::notify(NotifyState::Status(""));
        }
    }
}
