//! Metrics of the webhook listener.

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};
use strum::{IntoStaticStr, VariantArray};

use crate::meter;

/// The metrics of requests, of skipped logins, and of the budget.
#[derive(Debug, Clone)]
pub struct Meters {
    requests: IntCounterVec,
    duration: Histogram,
    skipped_logins: IntCounter,
    limited: IntCounter,
    misdirected: IntCounterVec,
    shed: IntCounterVec,
    held_bytes: IntGauge,
}

/// Which limit of the budget a valid delivery reached; the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Shed {
    /// Too many small deliveries at the same time.
    Count,
    /// Too many bytes of large deliveries at the same time.
    Bytes,
    /// It waited too long.
    Time,
}

/// Why a request is not for the webhook; the `reason` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Misdirection {
    /// It was a POST to another path.
    Path,
    /// It was for the webhook's path with another method.
    Method,
}

/// The result of a request to the webhook's path; the `result` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// A delivery was recorded.
    Accepted,
    /// The delivery was recorded before.
    Duplicate,
    /// The delivery is about a check that the operator filters out.
    Filtered,
    /// A test message was recorded.
    Test,
    /// The secret is missing or wrong.
    Unauthorized,
    /// The body cannot be read.
    Malformed,
    /// The body is too large.
    TooLarge,
    /// The delivery cannot be recorded now.
    Unavailable,
}

impl Outcome {
    /// The label's value.
    #[must_use]
    pub fn into_str(self) -> &'static str {
        self.into()
    }
}

impl Meters {
    /// Creates the meters with all values at zero.
    ///
    /// # Errors
    /// Never with the names below; the library checks them at run time.
    pub fn new() -> prometheus::Result<Self> {
        let requests = meter::counters(
            "cii_webhook_requests_total",
            "Requests to the webhook's path, by what became of them.",
            &[("result", &meter::label_values::<Outcome>())],
        )?;
        let duration = meter::histogram(
            "cii_webhook_request_duration_seconds",
            "How long a request to the webhook's path took, its commit included.",
            &[0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
        )?;
        let skipped_logins = IntCounter::new(
            "cii_webhook_skipped_logins_total",
            "Logins in webhook deliveries that cannot be used; the others of their delivery count.",
        )?;
        let limited = IntCounter::new(
            "cii_webhook_limited_total",
            "Requests with a wrong secret that were refused unread: their client had sent more \
             than ten of them in a minute.",
        )?;
        let misdirected = meter::counters(
            "cii_webhook_misdirected_total",
            "Requests that reached the listener and not the webhook: posted to another path \
             (path), or with another method than POST (method).",
            &[("reason", &meter::label_values::<Misdirection>())],
        )?;
        let shed = meter::counters(
            "cii_webhook_shed_total",
            "Deliveries that were answered with 503 because too much was in hand: too many small \
             ones (count), too many bytes of large ones (bytes), or a wait that took too long \
             (time).",
            &[("reason", &meter::label_values::<Shed>())],
        )?;
        let held_bytes = IntGauge::new(
            "cii_webhook_held_bytes",
            "Bytes of large deliveries in memory, until they are committed.",
        )?;
        Ok(Self { requests, duration, skipped_logins, limited, misdirected, shed, held_bytes })
    }

    /// Registers the meters with `registry`.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        meter::register(
            registry,
            [
                Box::new(self.requests.clone()),
                Box::new(self.duration.clone()),
                Box::new(self.skipped_logins.clone()),
                Box::new(self.limited.clone()),
                Box::new(self.misdirected.clone()),
                Box::new(self.shed.clone()),
                Box::new(self.held_bytes.clone()),
            ],
        )
    }

    pub(super) fn count_shed(&self, why: Shed) {
        let why: &str = why.into();
        self.shed.with_label_values(&[why]).inc();
    }

    /// The number of shed deliveries, over all reasons.
    #[cfg(test)]
    pub(super) fn shed_count(&self) -> u64 {
        meter::label_values::<Shed>()
            .into_iter()
            .map(|why| self.shed.with_label_values(&[why]).get())
            .sum()
    }

    /// Adds the bytes that a delivery holds now, and subtracts those that it held before.
    pub(super) fn update_held_bytes(&self, bytes: usize, before: usize) {
        self.held_bytes.add(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.held_bytes.sub(i64::try_from(before).unwrap_or(i64::MAX));
    }

    pub(super) fn count_skipped(&self, logins: usize) {
        self.skipped_logins.inc_by(u64::try_from(logins).unwrap_or(u64::MAX));
    }

    pub(super) fn count_misdirected(&self, why: Misdirection) {
        let why: &str = why.into();
        self.misdirected.with_label_values(&[why]).inc();
    }

    pub(super) fn count_limited(&self) {
        self.limited.inc();
    }

    /// The number of requests with this outcome since the start.
    #[must_use]
    pub fn request_count(&self, outcome: Outcome) -> u64 {
        self.requests.with_label_values(&[outcome.into_str()]).get()
    }

    pub(super) fn observe_request(&self, outcome: Outcome, seconds: f64) {
        self.requests.with_label_values(&[outcome.into_str()]).inc();
        self.duration.observe(seconds);
    }
}
