//! `/api/v1/webhook-targets`: the webhook targets that this exporter's commands registered.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
};
use serde_json::{Value, json};

use crate::{
    domain,
    ledger::change::{ForgetTarget, KeepTarget},
    store::Reader,
    web::{Ops, json::WebhookTarget, problem::Problem, query::Segment},
};

/// Lists the targets.
pub(super) async fn list(State(ops): State<Arc<Ops>>) -> Result<Json<Value>, Problem> {
    let targets = ops.sources.store.read(Reader::webhook_targets).await?;
    let targets: Vec<_> = targets.into_iter().map(WebhookTarget::from).collect();
    Ok(Json(json!({ "targets": targets })))
}

/// Stores a target that was registered with the service.
pub(super) async fn keep(
    State(ops): State<Arc<Ops>>,
    target: Result<Json<WebhookTarget>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let target = domain::WebhookTarget::from(target?.0);
    if target.id.is_empty() {
        // An empty id cannot be a path segment, so the target could never be removed.
        return Err(Problem::unprocessable(
            "a target has an id; take it from the service's answer",
        ));
    }
    ops.sources.store.commit(KeepTarget(target)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "result": "kept" }))))
}

/// Removes a target that is no longer registered with the service.
pub(super) async fn forget(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    ops.sources.store.commit(ForgetTarget(id)).await?;
    Ok(Json(json!({ "result": "forgotten" })))
}
