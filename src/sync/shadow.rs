//! The jobs' metrics on a replica that does not run them: as the store has them.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Meters;
use crate::{
    clock,
    domain::Schedule,
    store::{Standing, Store, StoreError},
};

/// How often it is looked at what the leader's jobs did.
const EVERY: Duration = Duration::from_secs(5);

/// Shows what another replica's jobs did, as long as this one does not lead. A replica that showed
/// what its own did when it led would hide that they fail by now.
#[derive(Debug)]
pub struct Shadow {
    /// The store.
    pub store: Store,
    /// Where the jobs are measured.
    pub meters: Meters,
    /// The jobs that run, and when.
    pub jobs: Vec<(&'static str, Schedule)>,
    /// Whether this replica leads.
    pub standing: watch::Receiver<Standing>,
}

impl Shadow {
    /// Lives until told to stop.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        if !self.store.is_shared() {
            stop.cancelled().await;
            return Ok(());
        }
        while !stop.is_cancelled() {
            let is_leader = self.standing.borrow_and_update().is_leader();
            if !is_leader {
                match self.copy_job_states().await {
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    Err(error) => tracing::debug!(%error, "the leader's jobs are not known"),
                    Ok(()) => {}
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.standing.changed() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
        Ok(())
    }

    async fn copy_job_states(&self) -> Result<(), StoreError> {
        for (job, schedule) in &self.jobs {
            let job = *job;
            let state = self.store.read(move |reader| reader.job_state(job)).await?;
            // A job that a newer leader began meanwhile measures itself.
            if self.standing.borrow().is_leader() {
                return Ok(());
            }
            self.meters.set_interval(job, schedule, clock::now());
            self.meters.restore_job(job, state.as_ref());
        }
        Ok(())
    }
}
