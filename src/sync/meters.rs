//! What the scheduled jobs tell of themselves.

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntGaugeVec, Opts, Registry};

use crate::domain::{Schedule, Timestamp};

/// When each job last succeeded, how long it took, and how its targets fared.
#[derive(Debug, Clone)]
pub struct Meters {
    last_success: GaugeVec,
    duration: HistogramVec,
    targets: IntGaugeVec,
    up: IntGaugeVec,
    interval: GaugeVec,
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
                    "When the job last ran through without a failure of the service.",
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
                    "Users or IP addresses that the job's last run asked about, by result.",
                ),
                &["job", "result"],
            )?,
            up: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_up",
                    "1 when the service answered to the end of the job's last run, else 0.",
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
        registry.register(Box::new(self.interval.clone()))
    }

    /// Says how often the job is to run, so that alerts can follow the schedule.
    pub(super) fn scheduled(&self, job: &str, schedule: &Schedule, now: Timestamp) {
        if let Some(gap) = schedule.longest_gap(now) {
            self.interval.with_label_values(&[job]).set(gap.as_seconds_f64());
        }
    }

    pub(super) fn ran(&self, job: &str, outcome: super::Outcome, seconds: f64) {
        self.duration.with_label_values(&[job]).observe(seconds);
        self.up.with_label_values(&[job]).set(i64::from(!outcome.service_failed));
        for (result, count) in [("ok", outcome.ok), ("failed", outcome.failed)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.targets.with_label_values(&[job, result]).set(count);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
    pub(super) fn succeeded(&self, job: &str, at: Timestamp) {
        self.last_success.with_label_values(&[job]).set(at.timestamp_micros() as f64 / 1e6);
    }
}
