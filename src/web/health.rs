//! `/-/healthy` and `/-/ready`

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use super::Ops;

/// Whether the daemon does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Not everything runs yet.
    Starting,
    /// Everything runs.
    Ready,
    /// The stop signal came.
    Stopping,
}

/// The process answers.
pub(super) async fn healthy() -> &'static str {
    "healthy\n"
}

/// The daemon takes deliveries, and its store can be read.
pub(super) async fn ready(State(ops): State<Arc<Ops>>) -> (StatusCode, String) {
    let readiness = *ops.sources.readiness.borrow();
    let reason = match readiness {
        Readiness::Starting => "starting".to_owned(),
        Readiness::Stopping => "stopping".to_owned(),
        Readiness::Ready => match ops.sources.exposition.check().await {
            Ok(()) => return (StatusCode::OK, "ready\n".to_owned()),
            Err(error) => error.to_string(),
        },
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"))
}
