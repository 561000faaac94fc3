//! The delivery of events: rounds, one after another, as long as the daemon runs.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Meters, Outages, Sender, round::Round};
use crate::store::{Store, StoreError};

/// The pause before a store that failed is used again.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// Sends events from the store to a collector.
#[derive(Debug)]
pub struct Courier {
    store: Store,
    sender: Sender,
    meters: Meters,
    outages: Outages,
}

impl Courier {
    /// A courier from `store` to the collector of `sender`. It records in `outages` why events
    /// wait.
    #[must_use]
    pub const fn new(store: Store, sender: Sender, meters: Meters, outages: Outages) -> Self {
        Self { store, sender, meters, outages }
    }

    /// Sends until `stop` is cancelled; the current batch is finished first.
    ///
    /// # Errors
    /// When the store is closed meanwhile.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let commits = self.store.commits();
        let round = Round {
            log: &self.store,
            collector: &self.sender,
            meters: &self.meters,
            outages: &self.outages,
            stop: &stop,
        };
        loop {
            match round.run(commits.clone()).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    tracing::error!(%error, "the delivery cannot use the store");
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        () = tokio::time::sleep(STORE_RETRY) => {}
                    }
                }
            }
        }
    }
}
