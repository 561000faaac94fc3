//! The ops listener: metrics, health, reload. It hands out what other rooms
//! made.

mod health;
mod index;
mod metrics;
mod problem;
mod reload;
mod targets;
mod watch_list;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};
use tokio::sync::watch;

use crate::{ingest::Rules, metrics::Exposition, store::Store};

pub use health::Readiness;
pub use reload::{ReloadDesk, ReloadReply, ReloadRequest};

/// The listener's parts.
#[derive(Debug)]
pub struct Ops {
    /// Answers scrapes.
    pub exposition: Exposition,
    /// Whether the daemon does its work.
    pub readiness: watch::Receiver<Readiness>,
    /// Takes requests to read the configuration again.
    pub reload: ReloadDesk,
    /// What is shown and changed.
    pub store: Store,
    /// How many users may be watched.
    pub rules: watch::Receiver<Arc<Rules>>,
}

impl Ops {
    /// The routes.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/", get(index::page))
            .route("/metrics", get(metrics::scrape))
            .route("/-/healthy", get(health::healthy))
            .route("/-/ready", get(health::ready))
            .route("/-/reload", post(reload::reload))
            .route("/api/v1/watch", get(watch_list::list).post(watch_list::add))
            .route("/api/v1/watch/{kind}/{subject}", delete(watch_list::remove))
            .route("/api/v1/webhook-targets", get(targets::list).post(targets::keep))
            .route("/api/v1/webhook-targets/{id}", delete(targets::forget))
            .with_state(Arc::new(self))
    }
}
