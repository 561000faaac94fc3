//! Metrics of jobs on a replica that does not run them, read from the store.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Meters;
use crate::{
    clock,
    domain::Schedule,
    store::{Standing, Store, StoreError},
};

/// How often the store is read.
const EVERY: Duration = Duration::from_secs(5);

/// Shows the ends of another replica's runs as long as this one is not the leader. The values of
/// this replica's own last runs would hide failures since then.
#[derive(Debug)]
pub struct Shadow {
    /// The store.
    pub store: Store,
    /// The meters of jobs.
    pub meters: Meters,
    /// The jobs, and their schedules.
    pub jobs: Vec<(&'static str, Schedule)>,
    /// Whether this replica is the leader.
    pub standing: watch::Receiver<Standing>,
}

impl Shadow {
    /// Runs until `stop` is cancelled.
    ///
    /// # Errors
    /// When the store is closed meanwhile.
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
            // After becoming leader meanwhile, the replica's own jobs set the meters.
            if self.standing.borrow().is_leader() {
                return Ok(());
            }
            self.meters.set_interval(job, schedule, clock::now());
            self.meters.restore_job(job, state.as_ref());
        }
        Ok(())
    }
}
