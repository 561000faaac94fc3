//! Runs a job: once at the start, then by its schedule, and never twice at the same time.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::Meters;
use crate::{
    clock,
    domain::{Due, JobOutcome, RunCounts, RunEnd, Schedule, Timestamp, redact_names},
    ledger::change::RecordRun,
    store::{Store, StoreError},
};

/// How often the wall clock is compared with the schedule. The cron library can miss a moment, so
/// the bell is not relied on.
const WATCHDOG: Duration = Duration::from_secs(5);

/// How late a run can be before it is logged as late.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// The part of the time to the next run over which a run's requests are spread.
const SPREAD: f64 = 0.8;

/// The maximum random delay of a run, as a part of the time to its next run.
const MOST_JITTER: f64 = 0.1;

/// How much time a run's requests may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// The time over which requests begin; with zero, they begin as soon as the request budget
    /// admits them.
    pub window: Duration,
}

/// A job that is run again and again.
pub trait Job: Send + Sync + 'static {
    /// The value of the `job` label.
    const NAME: &'static str;

    /// Does one run. It may end early when `stop` is cancelled.
    fn run(
        &self,
        pace: Pace,
        stop: &CancellationToken,
    ) -> impl Future<Output = Result<RunEnd, StoreError>> + Send;

    /// Whether the run at the start can be skipped because the last one is recent.
    fn is_fresh(&self) -> impl Future<Output = Result<bool, StoreError>> + Send {
        std::future::ready(Ok(false))
    }

    /// Resolves when a service that was down answers again.
    fn wait_until_recovered(&self) -> impl Future<Output = ()> + Send;
}

/// When a job runs.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The moments of runs.
    pub schedule: Schedule,
    /// Whether a run begins at the start.
    pub on_start: bool,
    /// The maximum random delay of a run.
    pub jitter: Duration,
    /// Whether a run's requests are spread over the time to the next run.
    pub spread: bool,
}

/// Runs a job by its schedule.
#[derive(Debug)]
pub struct Runner<J> {
    /// The job.
    pub job: J,
    /// When it runs.
    pub timing: Timing,
    /// Notified when a run may be due.
    pub bell: Arc<Notify>,
    /// The store for the ends of runs.
    pub store: Store,
    /// The meters of jobs.
    pub meters: Meters,
    /// Whether log lines name the users of a run that failed.
    pub names_users: watch::Receiver<bool>,
}

/// Why a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Start,
    Schedule,
    Recovery,
}

impl<J: Job> Runner<J> {
    /// Runs until `stop` is cancelled.
    ///
    /// # Errors
    /// When the store is closed meanwhile.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let started_at = clock::now();
        self.meters.set_interval(J::NAME, &self.timing.schedule, started_at);
        let mut due = Due::new(self.timing.schedule.clone(), started_at);
        let mut reason = self.first_run_reason(&mut due).await?;
        while !stop.is_cancelled() {
            if let Some(reason) = reason {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(self.start_delay(reason)) => {}
                }
                match self.run_once(reason, &stop).await {
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    // A lock held by a backup, or a full disk, can be temporary.
                    Err(error) => tracing::error!(job = J::NAME, %error, "run cannot be recorded"),
                    Ok(()) => {}
                }
            }
            reason = tokio::select! {
                () = stop.cancelled() => break,
                () = self.wait_until_due(&mut due) => Some(Reason::Schedule),
                () = self.job.wait_until_recovered() => Some(Reason::Recovery),
            };
        }
        Ok(())
    }

    /// The reason for a run at the start, if there is one: the job is configured so and the last
    /// run is not recent, or a run was missed while the daemon was down. Until it ends, the stored
    /// end of the last run is shown.
    async fn first_run_reason(&self, due: &mut Due) -> Result<Option<Reason>, StoreError> {
        let state = self.store.read(|reader| reader.job_state(J::NAME)).await?;
        self.meters.restore_job(J::NAME, state.as_ref());
        let now = clock::now();
        let is_missed = state.as_ref().is_some_and(|state| {
            let mut since_then = Due::new(self.timing.schedule.clone(), state.last_begun_at);
            since_then.take_due_run(now)
        });
        // A missed run is done at the start, so the schedule counts from now on.
        *due = Due::new(self.timing.schedule.clone(), now);
        let on_start = self.timing.on_start && !self.job.is_fresh().await?;
        Ok((on_start || is_missed).then_some(Reason::Start))
    }

    /// Waits until a run is due by the wall clock. The bell only ends the sleep early.
    async fn wait_until_due(&self, due: &mut Due) {
        loop {
            let (now, next) = (clock::now(), due.next());
            if due.take_due_run(now) {
                if next.is_some_and(|next| now > next + GRACE) {
                    tracing::info!(
                        job = J::NAME,
                        "a run comes late: the one before took long, or the clock jumped"
                    );
                }
                return;
            }
            tokio::select! {
                () = self.bell.notified() => {}
                () = tokio::time::sleep(WATCHDOG) => {}
            }
        }
    }

    /// The random delay of a run, so that many exporters do not send requests at the same moment.
    fn start_delay(&self, reason: Reason) -> Duration {
        if reason == Reason::Start {
            return Duration::ZERO;
        }
        let most = self.timing.jitter.min(self.time_to_next_run().mul_f64(MOST_JITTER));
        most.mul_f64(fastrand::f64())
    }

    fn pace(&self, reason: Reason) -> Pace {
        if reason == Reason::Schedule && self.timing.spread {
            Pace { window: self.time_to_next_run().mul_f64(SPREAD) }
        } else {
            Pace::default()
        }
    }

    /// The time to the next run.
    fn time_to_next_run(&self) -> Duration {
        let now = clock::now();
        let next = self.timing.schedule.next_after(now);
        next.and_then(|next| (next - now).to_std().ok()).unwrap_or_default()
    }

    async fn run_once(&self, reason: Reason, stop: &CancellationToken) -> Result<(), StoreError> {
        let (begun, begun_at) = (Instant::now(), clock::now());
        tracing::debug!(job = J::NAME, ?reason, "run begins");
        let end = self.job.run(self.pace(reason), stop).await?;
        // A run that was stopped proves nothing about the service: its end is not recorded.
        if stop.is_cancelled() {
            return Ok(());
        }
        self.record_end(end, begun_at, begun.elapsed().as_secs_f64()).await
    }

    async fn record_end(
        &self,
        end: RunEnd,
        begun_at: Timestamp,
        seconds: f64,
    ) -> Result<(), StoreError> {
        let ended_at = clock::now();
        // The end is stored before the meters show it.
        let record = RecordRun { job: J::NAME, end: end.clone(), begun_at, ended_at };
        let before = self.store.commit(record).await?;
        self.meters.record_run(J::NAME, &end, ended_at, seconds);
        let reason = end.reason.as_deref().unwrap_or_default();
        let names_users = *self.names_users.borrow();
        let reason = if names_users { reason.to_owned() } else { redact_names(reason) };
        log_end(J::NAME, before, &end, &reason, seconds);
        Ok(())
    }
}

/// Logs the end of a run in one line, a warning when it failed. A missing right is logged only when
/// it begins and when it ends.
fn log_end(job: &str, before: Option<JobOutcome>, end: &RunEnd, reason: &str, seconds: f64) {
    let RunCounts { asked, ok, not_found, failed, skipped } = end.counts;
    match (end.outcome, before) {
        (JobOutcome::Failed, _) => {
            tracing::warn!(job, reason, asked, ok, not_found, failed, skipped, "run failed");
        }
        (JobOutcome::Off, Some(JobOutcome::Off)) => tracing::debug!(job, reason, "job is off"),
        (JobOutcome::Off, _) => tracing::warn!(
            job,
            reason,
            "job is off: give the API client the right in the console; it is tried again rarely"
        ),
        (JobOutcome::Succeeded, before) => {
            if before == Some(JobOutcome::Off) {
                tracing::info!(job, "job is no longer off: the API client has the right");
            }
            if reason.is_empty() {
                tracing::info!(job, asked, ok, not_found, seconds, "run ended");
            } else {
                tracing::info!(
                    job,
                    reason,
                    asked,
                    ok,
                    not_found,
                    failed,
                    skipped,
                    seconds,
                    "run ended"
                );
            }
        }
    }
}
