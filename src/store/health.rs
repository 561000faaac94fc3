//! Whether the store can commit: what the thread that writes found out last.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::StoreError;

/// A commit that is younger than this says that the store works.
const FRESH: Duration = Duration::from_secs(5);

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
pub(super) fn note(health: &watch::Sender<Health>, outcome: Result<(), &StoreError>) {
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
