//! The controls, for whoever runs the simulator as a program of its own.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use crate::{faults::Fault, time, webhook};

/// What there is, and what was asked.
pub(super) async fn state(State(app): State<App>) -> Json<Value> {
    let (users, ips, failures) = app
        .service
        .tenant(|tenant| (tenant.logins(), tenant.busiest_addresses(), tenant.failures()));
    Json(json!({
        "users": users,
        "failing": failures,
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

/// New words for a check: what is not given stays.
#[derive(Deserialize)]
pub(super) struct Renaming {
    id: String,
    title: Option<String>,
    severity: Option<String>,
}

pub(super) async fn rename_check(
    State(app): State<App>,
    Json(renaming): Json<Renaming>,
) -> StatusCode {
    app.service.tenant(|tenant| {
        let Some(check) = tenant.check_mut(&renaming.id) else { return StatusCode::NOT_FOUND };
        check.title = renaming.title.unwrap_or_else(|| check.title.clone());
        check.severity = renaming.severity.unwrap_or_else(|| check.severity.clone());
        StatusCode::NO_CONTENT
    })
}

/// A user who starts or stops failing a check.
#[derive(Deserialize)]
pub(super) struct FailureChange {
    login: String,
    check_id: String,
    failing: bool,
}

pub(super) async fn set_failing(
    State(app): State<App>,
    Json(wanted): Json<FailureChange>,
) -> StatusCode {
    let FailureChange { login, check_id, failing } = wanted;
    app.service.tenant(|tenant| {
        if tenant.user(&login).is_none() || tenant.check(&check_id).is_none() {
            return StatusCode::NOT_FOUND;
        }
        tenant.set_failing(&login, &check_id, failing);
        StatusCode::NO_CONTENT
    })
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
