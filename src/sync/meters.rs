//! What the scheduled jobs tell of themselves.

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntGaugeVec, Opts, Registry};

use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Schedule, Timestamp},
    store::JobState,
};

/// When each job last succeeded, how long it took, and how its targets fared.
#[derive(Debug, Clone)]
pub struct Meters {
    last_success: GaugeVec,
    duration: HistogramVec,
    targets: IntGaugeVec,
    up: IntGaugeVec,
    interval: GaugeVec,
    off: IntGaugeVec,
}

impl Meters {
    /// Meters of no job yet.
    ///
    /// # Errors
    /// Never with the names below; the library checks them at run time.
    pub fn new() -> prometheus::Result<Self> {
        Ok(Self {
            last_success: GaugeVec::new(
                Opts::new(
                    "cii_sync_last_success_timestamp_seconds",
                    "When a run of the job last succeeded: at least half of what was asked had an answer.",
                ),
                &["job"],
            )?,
            duration: HistogramVec::new(
                HistogramOpts::new("cii_sync_duration_seconds", "How long a run of the job took.")
                    .buckets(vec![0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0]),
                &["job"],
            )?,
            targets: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_targets",
                    "Users, IP addresses, listed accounts or questions of the job's last run, by result; for skipped: rows that could not be read.",
                ),
                &["job", "result"],
            )?,
            up: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_up",
                    "1 when the job's last run succeeded, else 0; /api/v1/jobs tells why.",
                ),
                &["job"],
            )?,
            off: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_off",
                    "1 when the API client has no right to what the job asks for, else 0.",
                ),
                &["job"],
            )?,
            interval: GaugeVec::new(
                Opts::new(
                    "cii_sync_interval_seconds",
                    "The longest time between two runs of the job by its schedule, nights and weekends included.",
                ),
                &["job"],
            )?,
        })
    }

    /// Makes the meters part of what `registry` shows.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.last_success.clone()))?;
        registry.register(Box::new(self.duration.clone()))?;
        registry.register(Box::new(self.targets.clone()))?;
        registry.register(Box::new(self.up.clone()))?;
        registry.register(Box::new(self.off.clone()))?;
        registry.register(Box::new(self.interval.clone()))
    }

    /// Says how often the job is to run, so that alerts can follow the schedule.
    pub(super) fn scheduled(&self, job: &str, schedule: &Schedule, now: Timestamp) {
        if let Some(gap) = schedule.longest_gap(now) {
            self.interval.with_label_values(&[job]).set(gap.as_seconds_f64());
        }
    }

    /// Makes the meters of a job that runs present, as they were left by the
    /// process before.
    pub(super) fn began(&self, job: &str, before: Option<&JobState>) {
        if let Some(state) = before {
            self.show(job, &state.end);
        } else {
            self.off.with_label_values(&[job]).set(0);
            self.show_counts(job, RunCounts::default());
        }
        if let Some(at) = before.and_then(|state| state.last_success_at) {
            self.succeeded(job, at);
        }
    }

    pub(super) fn ran(&self, job: &str, end: &RunEnd, ended_at: Timestamp, seconds: f64) {
        self.duration.with_label_values(&[job]).observe(seconds);
        self.show(job, end);
        if end.outcome == JobOutcome::Succeeded {
            self.succeeded(job, ended_at);
        }
    }

    fn show(&self, job: &str, end: &RunEnd) {
        let is = |outcome| i64::from(end.outcome == outcome);
        self.up.with_label_values(&[job]).set(is(JobOutcome::Succeeded));
        self.off.with_label_values(&[job]).set(is(JobOutcome::Off));
        self.show_counts(job, end.counts);
    }

    fn show_counts(&self, job: &str, counts: RunCounts) {
        let RunCounts { ok, not_found, failed, skipped, .. } = counts;
        for (result, count) in
            [("ok", ok), ("not_found", not_found), ("failed", failed), ("skipped", skipped)]
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.targets.with_label_values(&[job, result]).set(count);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
    fn succeeded(&self, job: &str, at: Timestamp) {
        self.last_success.with_label_values(&[job]).set(at.timestamp_micros() as f64 / 1e6);
    }
}
