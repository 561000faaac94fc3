//! The task that purges users for the API, one request at a time. A handler would be cancelled when
//! its client disconnects, and would leave the purge half done.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    ingest::Refusals,
    store::{Purge, Purged, Store, StoreError},
};

/// A purge request and the channel for its result.
pub type PurgeRequest = (Purge, oneshot::Sender<Result<Purged, StoreError>>);

/// The channel for purge requests.
pub type PurgeDesk = mpsc::Sender<PurgeRequest>;

/// Executes purge requests.
#[derive(Debug)]
pub struct Purger {
    requests: mpsc::Receiver<PurgeRequest>,
    store: Store,
    refusals: Refusals,
}

impl Purger {
    /// Creates the channel and the task that reads from it.
    #[must_use]
    pub fn new(store: Store, refusals: Refusals) -> (PurgeDesk, Self) {
        let (desk, requests) = mpsc::channel(1);
        (desk, Self { requests, store, refusals })
    }

    /// Executes requests until stopped. A purge that has begun is finished first.
    ///
    /// # Errors
    /// Never.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Infallible> {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some((purge, reply)) = self.requests.recv() => {
                    // The receiver is gone when the client has disconnected.
                    let _ = reply.send(self.purge(purge).await);
                }
            }
        }
    }

    async fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        let is_trial = purge.is_trial;
        let purged = self.store.purge(purge).await;
        if is_trial {
            return purged;
        }
        match &purged {
            Ok(purged) => {
                self.refusals.drop_unkept();
                tracing::info!(
                    removed = purged.removed.values().sum::<u64>(),
                    redacted = purged.redacted.values().sum::<u64>(),
                    "somebody was forgotten"
                );
            }
            Err(error) => tracing::error!(%error, "somebody is forgotten in part; purge again"),
        }
        purged
    }
}
