//! Whether the store can commit: what the thread that writes found out last.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Store, StoreError};
use crate::ledger::change::Probe;

/// A commit that is younger than this says that the store works.
const FRESH: Duration = Duration::from_secs(5);

/// How long a commit that only shows whether one is possible may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);

/// How long the database may leave the thread that writes without an answer before that is why a
/// commit takes long: less than [`PROBE_PATIENCE`], since a probe can come a little later.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// What came of the last tries to commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// When something was last committed.
    committed_at: Option<Instant>,
    /// Why nothing is committed since.
    error: Option<StoreError>,
}

impl Health {
    /// Whether there is no need to try.
    pub(super) fn is_fresh(&self) -> bool {
        self.error.is_none() && self.committed_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Why nothing is committed.
    pub(super) fn error(&self) -> Option<StoreError> {
        self.error.clone()
    }

    /// Why there is no database to write to any more. One whose files cannot be looked at is
    /// left, too, and one that a newer replica upgraded.
    pub(super) fn loss(&self) -> Option<StoreError> {
        let is_loss = |error: &StoreError| {
            matches!(
                error,
                StoreError::Touched { .. } | StoreError::Open { .. } | StoreError::TooNew { .. }
            )
        };
        self.error.clone().filter(is_loss)
    }
}

/// Notes what came of a try to commit, with a line in the log when it is the first one that
/// fails, or works again. What is at fault with one change alone is no matter here.
pub(super) fn record_outcome(health: &watch::Sender<Health>, outcome: Result<(), &StoreError>) {
    health.send_modify(|health| match outcome {
        Ok(()) => {
            if health.error.take().is_some() {
                tracing::info!("the store commits again");
            }
            health.committed_at = Some(Instant::now());
        }
        Err(error) if error.is_of_one_row() => {}
        Err(error) => {
            if health.error.is_none() {
                tracing::error!(%error, "the store cannot commit; deliveries are answered with 503");
            }
            health.error = Some(error.clone());
        }
    });
}

impl Store {
    /// Resolves when the database's files are no longer those that were opened, or the thread
    /// that writes has ended, with what happened; never as long as it can be written.
    pub async fn wait_for_loss(&self) -> StoreError {
        let (mut health, mut writing) = (self.shared.health.clone(), self.shared.writing.clone());
        loop {
            if let Some(error) = health.borrow_and_update().loss() {
                return error;
            }
            tokio::select! {
                Ok(()) = health.changed() => {}
                // Nothing is ever sent: the thread drops its end with its own.
                _ = writing.changed() => return health.borrow().loss().unwrap_or(StoreError::Closed),
            }
        }
    }

    /// Makes sure that the store can commit now: by the last commit, or by one that changes
    /// nothing.
    ///
    /// # Errors
    /// When it cannot, or not in time.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.shared.health.borrow().is_fresh() {
            return Ok(());
        }
        match tokio::time::timeout(PROBE_PATIENCE, self.commit(Probe)).await {
            Ok(probed) => probed.map_err(|error| self.standby_away().unwrap_or(error)),
            Err(_) => Err(self.trouble().unwrap_or(StoreError::Busy)),
        }
    }

    /// Why nothing is committed: what the last try failed with, or what one waits for that takes
    /// long. Nothing when all is well. Tries nothing.
    #[must_use]
    pub fn trouble(&self) -> Option<StoreError> {
        // What the tries before failed with says more than that this one takes long.
        self.standby_away().or_else(|| self.shared.health.borrow().error()).or_else(|| {
            self.shared.meters.under_way.wait_longer_than(ANSWER_PATIENCE).map(StoreError::Silent)
        })
    }

    /// Whoever else commits, at any replica, fails with words about the lock that the one has who
    /// waits for the standby.
    fn standby_away(&self) -> Option<StoreError> {
        self.sight().is_some_and(|sight| sight.waits_for_standby).then_some(StoreError::StandbyAway)
    }
}
