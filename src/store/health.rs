//! Whether the store can commit, as the writer thread last found out.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Store, StoreError};
use crate::ledger::change::Probe;

/// A commit younger than this proves that the store works.
const FRESH: Duration = Duration::from_secs(5);

/// How long a probe commit may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);

/// How long the database may leave the writer thread without an answer before this counts as the
/// cause of slow commits. It is less than [`PROBE_PATIENCE`], because a probe can start a little
/// later.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// The outcome of the last attempts to commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// The moment of the last commit.
    committed_at: Option<Instant>,
    /// The error since then; none when the last attempt succeeded.
    error: Option<StoreError>,
}

impl Health {
    /// Whether the last commit is recent enough to need no probe.
    pub(super) fn is_fresh(&self) -> bool {
        self.error.is_none() && self.committed_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Why no commit succeeds.
    pub(super) fn error(&self) -> Option<StoreError> {
        self.error.clone()
    }

    /// Why the database is lost for writing. This includes files that can no longer be inspected,
    /// and a database that a newer replica upgraded.
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

/// Records the outcome of an attempt to commit, and logs the first failure and the first success
/// after it. Faults of a single change are ignored.
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
    /// Resolves with the cause when the database's files are no longer those that were opened, or
    /// the writer thread ended; never while the database can be written.
    pub async fn wait_for_loss(&self) -> StoreError {
        let (mut health, mut writing) = (self.shared.health.clone(), self.shared.writing.clone());
        loop {
            if let Some(error) = health.borrow_and_update().loss() {
                return error;
            }
            tokio::select! {
                Ok(()) = health.changed() => {}
                // No value is ever sent. The channel closes when the writer thread ends.
                _ = writing.changed() => return health.borrow().loss().unwrap_or(StoreError::Closed),
            }
        }
    }

    /// Checks that the store can commit now: by a recent commit, or by one that changes nothing.
    ///
    /// # Errors
    /// When it cannot commit, or not in time.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.shared.health.borrow().is_fresh() {
            return Ok(());
        }
        match tokio::time::timeout(PROBE_PATIENCE, self.commit(Probe)).await {
            Ok(probed) => probed.map_err(|error| self.standby_away().unwrap_or(error)),
            Err(_) => Err(self.trouble().unwrap_or(StoreError::Busy)),
        }
    }

    /// Why no commit succeeds: the error of the last attempt, or the database not answering. None
    /// when all is well. It tries no commit.
    #[must_use]
    pub fn trouble(&self) -> Option<StoreError> {
        // The error of earlier attempts says more than that the current one takes long.
        self.standby_away().or_else(|| self.shared.health.borrow().error()).or_else(|| {
            self.shared.meters.under_way.wait_longer_than(ANSWER_PATIENCE).map(StoreError::Silent)
        })
    }

    /// The error of a missing standby. A commit that waits for the standby holds a lock, and every
    /// other commit, at any replica, fails with an error about that lock, which would hide the
    /// cause.
    fn standby_away(&self) -> Option<StoreError> {
        self.sight().is_some_and(|sight| sight.waits_for_standby).then_some(StoreError::StandbyAway)
    }
}
