//! Metrics of the listeners' connections.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The metrics of the listeners and of the socket for commands.
#[derive(Debug, Clone)]
pub(super) struct Meters {
    pub(super) open: IntGaugeVec,
    pub(super) refused: IntCounterVec,
    /// Only for listeners with a `web-config.yml`.
    pub(super) web_config_up: IntGaugeVec,
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
        let web_config_up = IntGaugeVec::new(
            Opts::new(
                "cii_web_config_up",
                "Whether the web-config.yml of the listener and the files that it names are what \
                 holds (1), or are wrong, so that what was read before holds (0).",
            ),
            &["listener"],
        )?;
        // The socket for commands has no limit per client, so it lacks that reason.
        for (listener, reasons) in [
            ("webhook", ["client", "accept"].as_slice()),
            ("ops", &["client", "accept"]),
            ("commands", &["accept"]),
        ] {
            open.with_label_values(&[listener]);
            for reason in reasons {
                refused.with_label_values(&[listener, reason]);
            }
        }
        Ok(Self { open, refused, web_config_up })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.open.clone()))?;
        registry.register(Box::new(self.refused.clone()))?;
        registry.register(Box::new(self.web_config_up.clone()))
    }
}
