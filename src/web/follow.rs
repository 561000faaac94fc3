//! Following the log: a stream sleeps until there is more, and ends when the
//! daemon stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{Readiness, problem::Problem};

/// How many streams there may be at once; each costs a connection and little
/// more.
const STREAMS: usize = 256;

/// Admits streams.
#[derive(Debug)]
pub(super) struct Gate {
    free: Arc<Semaphore>,
    commits: watch::Receiver<i64>,
    readiness: watch::Receiver<Readiness>,
}

impl Gate {
    pub(super) fn new(
        commits: watch::Receiver<i64>,
        readiness: watch::Receiver<Readiness>,
    ) -> Self {
        Self { free: Arc::new(Semaphore::new(STREAMS)), commits, readiness }
    }

    /// Admits one more stream.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn admit(&self) -> Result<Follower, Problem> {
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            return Err(Problem::unavailable(format!(
                "{STREAMS} streams are open, and no more may be; close one"
            )));
        };
        Ok(Follower {
            commits: self.commits.clone(),
            readiness: self.readiness.clone(),
            _permit: permit,
        })
    }
}

/// What wakes a stream.
#[derive(Debug)]
pub(super) struct Follower {
    commits: watch::Receiver<i64>,
    readiness: watch::Receiver<Readiness>,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The number of the newest committed event.
    pub(super) fn newest(&self) -> i64 {
        *self.commits.borrow()
    }

    /// Whether the daemon goes on.
    pub(super) fn is_running(&self) -> bool {
        *self.readiness.borrow() != Readiness::Stopping
    }

    /// Waits until more than `seq` is committed; `false` when the daemon stops
    /// instead.
    pub(super) async fn beyond(&mut self, seq: i64) -> bool {
        tokio::select! {
            biased;
            () = stopped(&mut self.readiness) => false,
            grown = self.commits.wait_for(|newest| *newest > seq) => grown.is_ok(),
        }
    }

    /// Waits; `false` when the daemon stops before.
    pub(super) async fn pause(&mut self, duration: std::time::Duration) -> bool {
        tokio::select! {
            biased;
            () = stopped(&mut self.readiness) => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

async fn stopped(readiness: &mut watch::Receiver<Readiness>) {
    // A daemon that is gone has stopped, too.
    let _ = readiness.wait_for(|readiness| *readiness == Readiness::Stopping).await;
}
