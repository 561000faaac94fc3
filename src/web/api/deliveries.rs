//! `/api/v1/deliveries`: webhook deliveries, accepted and refused ones.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::page;
use crate::{
    domain::Timestamp,
    ingest::ReplayError,
    store::KeptDelivery,
    web::{
        Ops,
        json::{Delivery, DeliveryRecord},
        kept,
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Deliveries on a page when the query gives no `limit`.
const DELIVERIES: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct Page {
    deliveries: Vec<Delivery>,
    next_cursor: Option<i64>,
}

/// A check's last delivery.
#[derive(Debug, Serialize)]
pub(super) struct LastDelivery {
    number: Option<i64>,
    id: Option<String>,
    detail_id: Option<String>,
    detail_type: Option<String>,
    source: Option<String>,
    account: Option<String>,
    region: Option<String>,
    sent_at: Option<Timestamp>,
    published_at: Option<Timestamp>,
    received_at: Timestamp,
}

/// Lists deliveries, the newest first.
///
/// Refused deliveries that the store could not record are on the first page, in addition to `limit`
/// others: they have no number that a cursor could name.
pub(super) async fn list(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Json<Page>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let limit = fields.take_limit()?.unwrap_or(DELIVERIES);
    let cursor = fields.take_number("cursor", 1, i64::MAX)?;
    let refused = match fields.take("refused").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => {
            return Err(Problem::bad_request(format!("refused={other}: it is true or false")));
        }
    };
    fields.finish()?;
    let before = cursor.unwrap_or(i64::MAX);
    let mut deliveries =
        ops.sources.store.read(move |reader| reader.deliveries(refused, before, limit + 1)).await?;
    let next_cursor = page::cut_page(&mut deliveries, limit).and_then(|last| last.number);
    if cursor.is_none() && refused != Some(false) {
        deliveries.extend(ops.sources.webhook.refusals.unkept());
        deliveries.sort_by_key(|delivery| std::cmp::Reverse(delivery.received_at));
    }
    let deliveries = deliveries.into_iter().map(Delivery::from).collect();
    Ok(Json(Page { deliveries, next_cursor }))
}

/// Shows one delivery with its body.
pub(super) async fn show(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Json<DeliveryRecord>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let key = id.clone();
    let found = ops.sources.store.read(move |reader| kept::find_delivery(reader, &key)).await?;
    found.map(|record| Json(record.into())).ok_or_else(|| kept::unknown_delivery(&id))
}

/// Parses and records the kept body of a delivery again.
pub(super) async fn replay(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let key = id.clone();
    let number = ops.sources.store.read(move |reader| kept::find_number(reader, &key)).await?;
    let number = number.ok_or_else(|| kept::unknown_delivery(&id))?;
    let rules = ops.sources.rules.borrow().clone();
    let webhook = &ops.sources.webhook;
    let replayed = webhook.intake.replay(number, &rules, webhook.max_body_bytes).await;
    let replayed = replayed.map_err(|error| match error {
        ReplayError::Unknown(_) => Problem::not_found(error.to_string()),
        ReplayError::NoBody { .. } | ReplayError::Cut(_) => Problem::conflict(error.to_string()),
        ReplayError::Unavailable => Problem::unavailable(error.to_string()),
        ReplayError::Store(error) => error.into(),
    })?;
    Ok(Json(json!({
        "replayed": number,
        "result": replayed.result,
        "number": replayed.number,
        "users_newly_failing": replayed.newly_failing,
        "reason": replayed.reason,
    })))
}

impl From<KeptDelivery> for LastDelivery {
    fn from(kept: KeptDelivery) -> Self {
        Self {
            number: kept.number,
            id: kept.id,
            detail_id: kept.detail_id,
            detail_type: kept.detail_type,
            source: kept.source,
            account: kept.account,
            region: kept.region,
            sent_at: kept.sent_at,
            published_at: kept.published_at,
            received_at: kept.received_at,
        }
    }
}
