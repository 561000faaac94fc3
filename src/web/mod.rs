//! The ops listener: metrics, health, reload, the JSON API, and pages for people.
//! It hands out what other rooms made.

mod api;
mod filter;
mod follow;
mod health;
mod link;
mod metrics;
mod page;
mod problem;
mod query;
mod reload;
mod subject;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use prometheus::Registry;
use tokio::sync::watch;

use crate::{clock, domain::Timestamp, ingest::Rules, metrics::Exposition, store::Store};
use follow::Gate;

pub use health::Readiness;
pub use reload::{ReloadDesk, ReloadReply, ReloadRequest};

/// The listener's parts.
#[derive(Debug)]
pub struct Ops {
    exposition: Exposition,
    store: Store,
    registry: Registry,
    parts: Parts,
    started_at: Timestamp,
    readiness: watch::Receiver<Readiness>,
    reload: ReloadDesk,
    rules: watch::Receiver<Arc<Rules>>,
    gate: Gate,
}

/// Which parts of the daemon the configuration turns on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The service is asked.
    pub api: bool,
    /// Events go to a collector.
    pub otlp: bool,
}

impl Ops {
    /// Puts the listener's parts together. `exposition` answers scrapes, `store`
    /// and `registry`, with the exporter's own metrics, everything else;
    /// `readiness` says whether the daemon does its work, and `reload` takes
    /// requests to read the configuration again; `rules` say how many users may be
    /// watched.
    #[must_use]
    pub fn new(
        exposition: Exposition,
        (store, registry): (Store, Registry),
        parts: Parts,
        readiness: watch::Receiver<Readiness>,
        reload: ReloadDesk,
        rules: watch::Receiver<Arc<Rules>>,
    ) -> Self {
        let gate = Gate::new(store.commits(), readiness.clone());
        let started_at = clock::now();
        Self { exposition, store, registry, parts, started_at, readiness, reload, rules, gate }
    }

    /// The routes.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics::scrape))
            .route("/-/healthy", get(health::healthy))
            .route("/-/ready", get(health::ready))
            .route("/-/reload", post(reload::reload))
            .nest("/api/v1", api::routes())
            .merge(page::routes())
            .with_state(Arc::new(self))
    }
}
