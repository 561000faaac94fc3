//! The controls, for whoever runs the simulator as a program of its own.

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

use super::App;
use crate::{faults::Fault, time, webhook};

/// What there is, and what was asked.
pub(super) async fn state(State(app): State<App>) -> Json<Value> {
    let (users, ips) = app.service.tenant(|tenant| (tenant.logins(), tenant.busiest_addresses()));
    Json(json!({
        "users": users,
        "busiest_addresses": ips,
        "requests": app.service.requests.counts(),
        "most_requests_at_once": app.service.requests.most_at_once(),
        "faults": app.service.faults.list(),
    }))
}

pub(super) async fn add_fault(State(app): State<App>, Json(fault): Json<Fault>) -> StatusCode {
    app.service.faults.add(fault);
    StatusCode::NO_CONTENT
}

pub(super) async fn clear_faults(State(app): State<App>) -> StatusCode {
    app.service.faults.clear();
    StatusCode::NO_CONTENT
}

/// One round of changes, as time would make it.
pub(super) async fn tick(State(app): State<App>) -> Json<Value> {
    let changes = time::tick(&app.service).await;
    Json(
        json!({ "changes": changes.iter().map(|change| format!("{change:?}")).collect::<Vec<_>>() }),
    )
}

pub(super) async fn revoke_tokens(State(app): State<App>) -> StatusCode {
    app.service.tokens.revoke();
    StatusCode::NO_CONTENT
}

/// Sends what newly fails.
pub(super) async fn deliver(State(app): State<App>) -> Json<Value> {
    Json(json!({ "deliveries": webhook::deliver_newly_failing(&app.service).await }))
}
