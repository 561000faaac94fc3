//! The ops listener: metrics, health, reload. It hands out what other rooms
//! made.

mod health;
mod index;
mod metrics;
mod reload;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use tokio::sync::watch;

use crate::metrics::Exposition;

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
            .with_state(Arc::new(self))
    }
}
