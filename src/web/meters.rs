//! Metrics of the ops listener.

use prometheus::{IntCounterVec, Registry};
use strum::{IntoStaticStr, VariantArray};

use crate::meter;

/// Counts the requests that were answered with 503 because of a limit.
#[derive(Debug, Clone)]
pub struct ShedMeter(IntCounterVec);

/// Which limit was reached; the `kind` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Shed {
    /// Concurrent answers of the API and the pages.
    Answer,
    /// Open streams.
    Stream,
}

impl ShedMeter {
    /// Creates the meter with all counters at zero.
    ///
    /// # Errors
    /// Never with the name below; the library checks it at run time.
    pub fn new() -> prometheus::Result<Self> {
        let counters = meter::counters(
            "cii_ops_shed_total",
            "Requests to the ops listener that were answered with 503 because too many answers of \
             the API and pages, or streams, were in hand.",
            &[("kind", &meter::label_values::<Shed>())],
        )?;
        Ok(Self(counters))
    }

    /// Registers the meter with `registry`.
    ///
    /// # Errors
    /// When a metric of the same name is registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.0.clone()))
    }

    pub(super) fn count_shed(&self, kind: Shed) {
        let kind: &str = kind.into();
        self.0.with_label_values(&[kind]).inc();
    }
}
