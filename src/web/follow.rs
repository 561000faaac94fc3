//! Following the event log: a stream waits for new events, and ends when the daemon stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{Readiness, Shed, ShedMeter, Sources, problem::Problem};
use crate::store::{Reader, Store, StoreError};

/// Most reads of all streams together, so that streams leave readers of the store to pages and the
/// API.
pub(super) const READS: usize = 2;

/// Limits how many streams are open.
#[derive(Debug)]
pub(super) struct Gate {
    free: Arc<Semaphore>,
    most: usize,
    reads: Arc<Semaphore>,
    meter: ShedMeter,
    store: Store,
    commits: watch::Receiver<i64>,
    readiness: watch::Receiver<Readiness>,
}

impl Gate {
    pub(super) fn new(sources: &Sources) -> Self {
        Self {
            free: Arc::new(Semaphore::new(sources.streams)),
            most: sources.streams,
            reads: Arc::new(Semaphore::new(READS)),
            meter: sources.meters.shed.clone(),
            store: sources.store.clone(),
            commits: sources.store.commits(),
            readiness: sources.readiness.clone(),
        }
    }

    /// Opens one more stream.
    ///
    /// # Errors
    /// When the limit is reached; the problem is a 503.
    pub(super) fn admit(&self) -> Result<Follower, Problem> {
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            self.meter.count_shed(Shed::Stream);
            return Err(Problem::unavailable(format!(
                "{} streams are open, and no more may be; close one",
                self.most
            )));
        };
        Ok(Follower {
            reads: self.reads.clone(),
            store: self.store.clone(),
            commits: self.commits.clone(),
            readiness: self.readiness.clone(),
            _permit: permit,
        })
    }
}

/// A stream's access to the store, and what wakes it: commits, and the end of the daemon.
#[derive(Debug)]
pub(super) struct Follower {
    reads: Arc<Semaphore>,
    store: Store,
    commits: watch::Receiver<i64>,
    readiness: watch::Receiver<Readiness>,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The number of the newest committed event.
    pub(super) fn newest_seq(&self) -> i64 {
        *self.commits.borrow()
    }

    /// Runs a query of the stream on a reader of the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reads = self.reads.clone();
        let turn = reads.acquire_owned().await.map_err(|_| StoreError::Closed)?;
        // The read goes on after the client disconnects. It must hold its permit until it ends, or
        // more reads than `READS` would run.
        let read = move |reader: &Reader| {
            let _turn = turn;
            query(reader)
        };
        self.store.read(read).await
    }

    /// Whether the daemon is not stopping.
    pub(super) fn is_running(&self) -> bool {
        *self.readiness.borrow() != Readiness::Stopping
    }

    /// Waits until an event after `seq` is committed; `false` when the daemon stops first.
    pub(super) async fn wait_beyond(&mut self, seq: i64) -> bool {
        tokio::select! {
            biased;
            () = wait_until_stopping(&mut self.readiness) => false,
            grown = self.commits.wait_for(|newest| *newest > seq) => grown.is_ok(),
        }
    }

    /// Sleeps for a time; `false` when the daemon stops first.
    pub(super) async fn pause(&mut self, duration: std::time::Duration) -> bool {
        tokio::select! {
            biased;
            () = wait_until_stopping(&mut self.readiness) => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

async fn wait_until_stopping(readiness: &mut watch::Receiver<Readiness>) {
    // An error means that the sender is gone, and so the daemon has stopped.
    let _ = readiness.wait_for(|readiness| *readiness == Readiness::Stopping).await;
}
