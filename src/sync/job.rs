//! The life of a job: once at the start, then whenever its bell rings, and never
//! twice at once.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::Meters;
use crate::{
    clock,
    domain::Schedule,
    store::{Store, StoreError},
};

/// How long after its time a run counts as missed by the scheduler.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// How often the wall clock is held against the schedule.
const WATCHDOG: Duration = Duration::from_secs(5);

/// How a run went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Targets that were asked about with success.
    pub ok: usize,
    /// Targets that failed.
    pub failed: usize,
    /// Whether the service itself failed, beyond a target that it does not know.
    pub service_failed: bool,
}

/// What a job does in one run.
pub trait Job: Send + Sync + 'static {
    /// The value of the `job` label.
    const NAME: &'static str;

    /// One run. It may end early when `stop` is cancelled.
    fn run(
        &self,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;
}

/// Runs a job by its schedule.
#[derive(Debug)]
pub struct Runner<J> {
    /// What is done.
    pub job: J,
    /// When it is done.
    pub schedule: Schedule,
    /// Whether the first run is at the start.
    pub on_start: bool,
    /// Rings when it is time; a ring during a run makes one more run after it.
    pub bell: Arc<Notify>,
    /// Where the job's last success is kept.
    pub store: Store,
    /// Where the job is measured.
    pub meters: Meters,
}

impl<J: Job> Runner<J> {
    /// Lives until told to stop.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn live(self, stop: CancellationToken) -> Result<(), StoreError> {
        if let Some(at) = self.store.read(|reader| reader.job_last_success(J::NAME)).await? {
            self.meters.succeeded(J::NAME, at);
        }
        let mut is_due = self.on_start;
        while !stop.is_cancelled() {
            if is_due {
                match self.run(&stop).await {
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    // A lock held by a backup, or a full disk, can pass.
                    Err(error) => tracing::error!(job = J::NAME, %error, "run failed"),
                    Ok(()) => {}
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.rung_or_missed() => is_due = true,
            }
        }
        Ok(())
    }

    /// Waits for the bell, and does not trust it: past the schedule's next
    /// moment by the wall clock, the run is made up.
    async fn rung_or_missed(&self) {
        let mut next = self.schedule.next_after(clock::now());
        loop {
            tokio::select! {
                () = self.bell.notified() => return,
                () = tokio::time::sleep(WATCHDOG) => {}
            }
            let now = clock::now();
            if next.is_some_and(|next| now > next + GRACE) {
                tracing::warn!(job = J::NAME, "the scheduler missed a run; it is made up now");
                return;
            }
            // A clock that was set back must not leave the job waiting for the
            // old future.
            next = next.min(self.schedule.next_after(now)).or(next);
        }
    }

    async fn run(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let begun = Instant::now();
        tracing::debug!(job = J::NAME, "run begins");
        let outcome = self.job.run(stop).await?;
        if stop.is_cancelled() {
            return Ok(());
        }
        let seconds = begun.elapsed().as_secs_f64();
        self.meters.ran(J::NAME, outcome, seconds);
        let Outcome { ok, failed, .. } = outcome;
        if outcome.service_failed {
            tracing::warn!(job = J::NAME, ok, failed, "run ended, and the service failed in it");
            return Ok(());
        }
        tracing::info!(job = J::NAME, ok, failed, seconds, "run ended");
        let at = clock::now();
        self.meters.succeeded(J::NAME, at);
        self.store.job_succeeded(J::NAME, at).await
    }
}
