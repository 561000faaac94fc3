//! Forgetting somebody for the API: by a task of its own, since a client that goes away must
//! not leave half of it, and one after the other.

use std::convert::Infallible;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    ingest::Refusals,
    store::{Purge, Purged, Store, StoreError},
};

/// Somebody to be forgotten, and the channel for what became of it.
pub type PurgeRequest = (Purge, oneshot::Sender<Result<Purged, StoreError>>);

/// Where requests to forget somebody are handed in.
pub type PurgeDesk = mpsc::Sender<PurgeRequest>;

/// Forgets whom it is asked to.
#[derive(Debug)]
pub struct Purger {
    requests: mpsc::Receiver<PurgeRequest>,
    store: Store,
    refusals: Refusals,
}

impl Purger {
    /// The desk, and its task.
    #[must_use]
    pub fn new(store: Store, refusals: Refusals) -> (PurgeDesk, Self) {
        let (desk, requests) = mpsc::channel(1);
        (desk, Self { requests, store, refusals })
    }

    /// Works until told to stop; what has begun is finished first.
    ///
    /// # Errors
    /// Never.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Infallible> {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some((purge, reply)) = self.requests.recv() => {
                    // Whoever asked may have gone.
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
