//! What the webhook listener tells of itself.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

/// Requests by result, and how long they took.
#[derive(Debug, Clone)]
pub struct Meters {
    requests: IntCounterVec,
    duration: Histogram,
}

/// Every value of the `result` label.
const RESULTS: [&str; 8] = [
    "accepted",
    "duplicate",
    "filtered",
    "test",
    "unauthorized",
    "malformed",
    "too_large",
    "unavailable",
];

impl Meters {
    /// Meters that stand at zero.
    ///
    /// # Errors
    /// Never with the names below; the library checks them at run time.
    pub fn new() -> prometheus::Result<Self> {
        let requests = IntCounterVec::new(
            Opts::new(
                "cii_webhook_requests_total",
                "Requests to the webhook's path, by what became of them.",
            ),
            &["result"],
        )?;
        for result in RESULTS {
            requests.with_label_values(&[result]);
        }
        let duration = Histogram::with_opts(
            HistogramOpts::new(
                "cii_webhook_request_duration_seconds",
                "How long a request to the webhook's path took, its commit included.",
            )
            .buckets(vec![0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]),
        )?;
        Ok(Self { requests, duration })
    }

    /// Makes the meters part of what `registry` shows.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.duration.clone()))
    }

    pub(super) fn observe(&self, result: &str, seconds: f64) {
        self.requests.with_label_values(&[result]).inc();
        self.duration.observe(seconds);
    }
}
