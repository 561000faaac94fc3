//! The ops listener: metrics, health, reload, the JSON API. It hands out what
//! other rooms made.

mod api;
mod filter;
mod follow;
mod health;
mod index;
mod link;
mod metrics;
mod problem;
mod query;
mod reload;
mod subject;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use tokio::sync::watch;

use crate::{ingest::Rules, metrics::Exposition, store::Store};
use follow::Gate;

pub use health::Readiness;
pub use reload::{ReloadDesk, ReloadReply, ReloadRequest};

/// The listener's parts.
#[derive(Debug)]
pub struct Ops {
    exposition: Exposition,
    store: Store,
    readiness: watch::Receiver<Readiness>,
    reload: ReloadDesk,
    rules: watch::Receiver<Arc<Rules>>,
    gate: Gate,
}

impl Ops {
    /// Puts the listener's parts together. `exposition` answers scrapes, `store`
    /// everything else; `readiness` says whether the daemon does its work, and
    /// `reload` takes requests to read the configuration again; `rules` say how
    /// many users may be watched.
    #[must_use]
    pub fn new(
        exposition: Exposition,
        store: Store,
        readiness: watch::Receiver<Readiness>,
        reload: ReloadDesk,
        rules: watch::Receiver<Arc<Rules>>,
    ) -> Self {
        let gate = Gate::new(store.commits(), readiness.clone());
        Self { exposition, store, readiness, reload, rules, gate }
    }

    /// The routes.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/", get(index::page))
            .route("/metrics", get(metrics::scrape))
            .route("/-/healthy", get(health::healthy))
            .route("/-/ready", get(health::ready))
            .route("/-/reload", post(reload::reload))
            .nest("/api/v1", api::routes())
            .with_state(Arc::new(self))
    }
}
