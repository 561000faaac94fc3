//! `/api/v1/otlp`: the state of the OTLP delivery, and requests to send events again.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    delivery,
    domain::Timestamp,
    web::{Ops, json::OtlpStanding, problem::Problem},
};

/// The body of a backfill request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backfill {
    since: Timestamp,
}

/// Shows how many events wait, are parked or were left out, and the current outage.
pub(super) async fn show_status(State(ops): State<Arc<Ops>>) -> Result<Json<Value>, Problem> {
    let enabled = ops.sources.parts.otlp;
    let standing = ops.sources.store.read(move |reader| reader.otlp_standing(enabled)).await?;
    let outage = ops.sources.outages.current().map(
        |outage| json!({ "reason": outage.reason, "cause": outage.cause, "since": outage.since }),
    );
    let mut status = json!(OtlpStanding::from(standing));
    status["outage"] = outage.into();
    Ok(Json(status))
}

/// Sends parked events again.
pub(super) async fn retry(State(ops): State<Arc<Ops>>) -> Result<Json<Value>, Problem> {
    require_otlp(&ops)?;
    let store = &ops.sources.store;
    let events = delivery::send_parked(store).await?;
    tracing::info!(events, "parked events are sent to the OTLP collector again");
    Ok(Json(json!({ "events": events })))
}

/// Sends the events since a moment that were left out while `[otlp]` was off.
pub(super) async fn backfill(
    State(ops): State<Arc<Ops>>,
    request: Result<Json<Backfill>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(Backfill { since }) = request?;
    require_otlp(&ops)?;
    let store = &ops.sources.store;
    let events = delivery::send_left_out(store, since).await?;
    tracing::info!(events, %since, "events that were left out are sent to the OTLP collector");
    Ok(Json(json!({ "events": events })))
}

fn require_otlp(ops: &Ops) -> Result<(), Problem> {
    if ops.sources.parts.otlp {
        return Ok(());
    }
    Err(Problem::conflict("there is no OTLP delivery; set [otlp] and restart the daemon"))
}
