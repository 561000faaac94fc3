//! Metrics of the delivery.

use prometheus::{IntCounter, IntCounterVec, Registry};

use super::error::Reason;
use crate::meter;

/// Events that the collector accepted, and failed requests.
#[derive(Debug, Clone)]
pub struct Meters {
    exported: IntCounter,
    failures: IntCounterVec,
}

impl Meters {
    /// Meters at zero.
    ///
    /// # Errors
    /// Never with the names below; the library checks them at run time.
    pub fn new() -> prometheus::Result<Self> {
        let exported = IntCounter::new(
            "cii_otlp_exported_events_total",
            "Events that the OTLP collector took.",
        )?;
        let failures = meter::counters(
            "cii_otlp_export_failures_total",
            "Failed tries to send a batch, which is tried again; for the reason \
             partial_success, events that the collector dropped; for refused, events that \
             were parked, and tries while it refuses everything.",
            &[("reason", &meter::label_values::<Reason>())],
        )?;
        Ok(Self { exported, failures })
    }

    /// Makes the meters part of what `registry` shows.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        meter::register(
            registry,
            [Box::new(self.exported.clone()), Box::new(self.failures.clone())],
        )
    }

    /// The number of events that the collector accepted since the start.
    #[must_use]
    pub fn exported_events(&self) -> u64 {
        self.exported.get()
    }

    /// The number of failures with this reason since the start.
    #[must_use]
    pub fn failures(&self, reason: Reason) -> u64 {
        self.failures.with_label_values(&[reason.into_str()]).get()
    }

    pub(super) fn count_exported(&self, events: usize, rejected: u64) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        self.exported.inc_by(events.saturating_sub(rejected));
        if rejected > 0 {
            let reason = Reason::PartialSuccess.into_str();
            self.failures.with_label_values(&[reason]).inc_by(rejected);
        }
    }

    pub(super) fn count_failure(&self, reason: Reason) {
        self.failures.with_label_values(&[reason.into_str()]).inc();
    }
}
