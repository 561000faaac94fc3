//! What the listeners count of their connections.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// Connections of both listeners.
#[derive(Debug, Clone)]
pub(super) struct Meters {
    pub(super) open: IntGaugeVec,
    pub(super) refused: IntCounterVec,
}

impl Meters {
    pub(super) fn new() -> prometheus::Result<Self> {
        let open = IntGaugeVec::new(
            Opts::new("cii_http_connections", "Open connections, by listener."),
            &["listener"],
        )?;
        let refused = IntCounterVec::new(
            Opts::new(
                "cii_http_connections_refused_total",
                "Connections that were closed unheard, by listener and reason: client (it has as \
                 many as one client may have), accept (the system had no descriptor left).",
            ),
            &["listener", "reason"],
        )?;
        for listener in ["webhook", "ops"] {
            open.with_label_values(&[listener]);
            for reason in ["client", "accept"] {
                refused.with_label_values(&[listener, reason]);
            }
        }
        Ok(Self { open, refused })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.open.clone()))?;
        registry.register(Box::new(self.refused.clone()))
    }
}
