//! Opens the store.

use super::defaults;
use crate::{
    blocking, clock,
    config::Config,
    domain::Timestamp,
    ledger::change::TrustClock,
    store::{Reader, Store, StoreError, WriterThread},
};

/// An opened store, in which a commit has succeeded.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) writer: WriterThread,
    /// The last moment before this start at which the clock was trusted.
    pub(super) trusted: Option<Timestamp>,
}

/// Opens the store, and commits the first change.
///
/// # Errors
/// When the store cannot be used. A signal may end the process meanwhile: creation and upgrade are
/// one transaction.
pub(super) async fn open_store(config: &Config) -> Result<Opened, StoreError> {
    let place = config.store.place.clone();
    let opened = blocking::run(move || Store::open_at(&place)).await;
    let (store, writer) = opened.ok_or(StoreError::Closed)??;
    let trusted = trust_clock(&store).await.map_err(|error| {
        // The state of the server explains more than the error of a single commit.
        if error.is_transient() { store.trouble().unwrap_or(error) } else { error }
    })?;
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
