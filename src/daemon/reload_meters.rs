//! Metrics of the last reload, under the names that Prometheus uses for its own.

use prometheus::{Gauge, IntGauge, Registry};

use crate::clock;

/// The result of the last reload. The start counts as a successful one.
#[derive(Debug, Clone)]
pub(super) struct ReloadMeters {
    successful: IntGauge,
    succeeded_at: Gauge,
}

impl ReloadMeters {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let successful = IntGauge::new(
            "cii_config_last_reload_successful",
            "1 when the configuration was read and applied by the start or the last reload, 0 when \
             the reload was refused, so that what was read before holds.",
        )?;
        let succeeded_at = Gauge::new(
            "cii_config_last_reload_success_timestamp_seconds",
            "When the configuration that holds was read and applied, by the start or a reload.",
        )?;
        registry.register(Box::new(successful.clone()))?;
        registry.register(Box::new(succeeded_at.clone()))?;
        let meters = Self { successful, succeeded_at };
        meters.record(true);
        Ok(meters)
    }

    /// Records the result of a reload that has just ended.
    #[expect(clippy::cast_precision_loss, reason = "a moment has far fewer than 53 bits")]
    pub(super) fn record(&self, succeeded: bool) {
        self.successful.set(succeeded.into());
        if succeeded {
            self.succeeded_at.set(clock::now().timestamp_millis() as f64 / 1000.0);
        }
    }
}
