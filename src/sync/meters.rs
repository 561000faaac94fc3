//! Metrics of the scheduled jobs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntGaugeVec, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Schedule, Timestamp},
    store::JobState,
};

/// When each job last succeeded, how long it took, and the results of its targets.
#[derive(Debug, Clone)]
pub struct Meters {
    last_success: GaugeVec,
    duration: HistogramVec,
    targets: IntGaugeVec,
    up: IntGaugeVec,
    interval: GaugeVec,
    off: IntGaugeVec,
    /// Locked while a run is recorded and while the meters are read, so that a scrape shows all of
    /// a run or nothing of it.
    whole: Arc<Mutex<()>>,
}

impl Meters {
    /// Meters without series: a job's series appear with `restore_job`.
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
                &["task"],
            )?,
            duration: HistogramVec::new(
                HistogramOpts::new("cii_sync_duration_seconds", "How long a run of the job took.")
                    .buckets(vec![0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0]),
                &["task"],
            )?,
            targets: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_targets",
                    "Users, IP addresses, listed accounts or questions of the job's last run, by result; for skipped: rows that could not be read.",
                ),
                &["task", "result"],
            )?,
            up: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_up",
                    "1 when the job's last run succeeded, else 0; /api/v1/jobs tells why.",
                ),
                &["task"],
            )?,
            off: IntGaugeVec::new(
                Opts::new(
                    "cii_sync_off",
                    "1 when the API client has no right to what the job asks for, else 0.",
                ),
                &["task"],
            )?,
            interval: GaugeVec::new(
                Opts::new(
                    "cii_sync_interval_seconds",
                    "The longest time between two runs of the job by its schedule, nights and weekends included.",
                ),
                &["task"],
            )?,
            whole: Arc::default(),
        })
    }

    /// Makes the meters part of what `registry` shows.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.clone()))
    }

    fn collectors(&self) -> [&dyn Collector; 6] {
        [&self.last_success, &self.duration, &self.targets, &self.up, &self.off, &self.interval]
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the interval of a job's schedule, so that alerts can follow it.
    pub(super) fn set_interval(&self, job: &str, schedule: &Schedule, now: Timestamp) {
        if let Some(gap) = schedule.longest_gap(now) {
            self.interval.with_label_values(&[job]).set(gap.as_seconds_f64());
        }
    }

    /// Creates the series of a job, with the values of its last stored run.
    pub(super) fn restore_job(&self, job: &str, before: Option<&JobState>) {
        let _whole = self.lock();
        if let Some(state) = before {
            self.set_run_end(job, &state.end);
        } else {
            self.off.with_label_values(&[job]).set(0);
            self.set_counts(job, RunCounts::default());
        }
        if let Some(at) = before.and_then(|state| state.last_success_at) {
            self.set_last_success(job, at);
        }
    }

    pub(super) fn record_run(&self, job: &str, end: &RunEnd, ended_at: Timestamp, seconds: f64) {
        let _whole = self.lock();
        self.duration.with_label_values(&[job]).observe(seconds);
        self.set_run_end(job, end);
        if end.outcome == JobOutcome::Succeeded {
            self.set_last_success(job, ended_at);
        }
    }

    fn set_run_end(&self, job: &str, end: &RunEnd) {
        let is = |outcome| i64::from(end.outcome == outcome);
        self.up.with_label_values(&[job]).set(is(JobOutcome::Succeeded));
        self.off.with_label_values(&[job]).set(is(JobOutcome::Off));
        self.set_counts(job, end.counts);
    }

    fn set_counts(&self, job: &str, counts: RunCounts) {
        let RunCounts { ok, not_found, failed, skipped, .. } = counts;
        for (result, count) in
            [("ok", ok), ("not_found", not_found), ("failed", failed), ("skipped", skipped)]
        {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.targets.with_label_values(&[job, result]).set(count);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
    fn set_last_success(&self, job: &str, at: Timestamp) {
        self.last_success.with_label_values(&[job]).set(at.timestamp_micros() as f64 / 1e6);
    }
}

impl Collector for Meters {
    fn desc(&self) -> Vec<&Desc> {
        self.collectors().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let _whole = self.lock();
        self.collectors().into_iter().flat_map(Collector::collect).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::clock;

    /// The value of the first sample of a family.
    fn value(families: &[MetricFamily], name: &str, result: Option<&str>) -> Option<f64> {
        let family = families.iter().find(|family| family.name() == name)?;
        let is_asked_for = |labels: &[prometheus::proto::LabelPair]| {
            result.is_none_or(|result| labels.iter().any(|label| label.value() == result))
        };
        let metric = family.get_metric().iter().find(|metric| is_asked_for(metric.get_label()))?;
        Some(metric.get_gauge().get_value())
    }

    #[test]
    fn a_scrape_shows_all_of_a_run_or_nothing_of_it() {
        let (meters, registry) = (Meters::new().unwrap(), Registry::new());
        meters.register(&registry).unwrap();
        let runs = thread::spawn(move || {
            for run in 0..20_000 {
                let outcome = [JobOutcome::Failed, JobOutcome::Succeeded][run % 2];
                let counts = RunCounts { ok: (run % 2) as u64, ..RunCounts::default() };
                let end = RunEnd { outcome, counts, reason: None };
                meters.record_run("users", &end, clock::now(), 0.1);
            }
        });
        while !runs.is_finished() {
            let shown = registry.gather();
            let up = value(&shown, "cii_sync_up", None);
            assert_eq!(value(&shown, "cii_sync_targets", Some("ok")), up);
        }
        runs.join().unwrap();
    }
}
