//! Deliveries as CSV.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::Failure;
use crate::{
    domain::Severity,
    store::{DeliveryFilter, KeptDelivery, Reader, StoreError},
    web::{
        Ops,
        csv::{self, List, PAGE, Record},
        page::deliveries,
        query::Fields,
    },
};

/// `/deliveries.csv`: the deliveries that match the filter, the newest first.
pub(in crate::web::page) async fn stream_deliveries(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?.without_empty();
    let filter = deliveries::take_filter(&mut fields)?;
    fields.finish()?;
    let list = Deliveries { filter, before: Some(i64::MAX) };
    Ok(csv::stream_list(ops.gate.admit()?, list, "deliveries"))
}

struct Deliveries {
    filter: DeliveryFilter,
    before: Option<i64>,
}

impl List for Deliveries {
    const FIELDS: &'static [&'static str] = &[
        "number",
        "received_at",
        "published_at",
        "id",
        "detail_type",
        "check_id",
        "title",
        "severity",
        "result",
        "status",
        "reason",
        "users",
        "users_newly_failing",
        "users_known",
        "users_cleared",
        "logins_skipped",
        "repeats",
        "last_repeat_at",
        "replayed_as",
        "body_bytes",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let Some(before) = self.before else { return Ok(None) };
        let found = reader.matching_deliveries(&self.filter, before, PAGE)?;
        self.before = found.last().and_then(|last| last.number);
        Ok(Some(found.iter().map(delivery_record).collect()))
    }
}

fn delivery_record(kept: &KeptDelivery) -> Record {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let severity = kept.severity.as_deref().map(|severity| Severity::new(Some(severity)).label());
    Record::default()
        .number(number(kept.number))
        .moment(kept.received_at)
        .moment(kept.published_at)
        .text(&text(&kept.id))
        .text(&text(&kept.detail_type))
        .text(&text(&kept.check_id))
        .text(&text(&kept.title))
        .text(&severity.unwrap_or_default())
        .word(&kept.result)
        .number(u64::from(kept.status))
        .text(&text(&kept.reason))
        .number(kept.users_failing)
        .number(kept.users_newly_failing)
        .number(kept.users_known)
        .number(kept.users_cleared)
        .number(kept.logins_skipped)
        .number(kept.repeats)
        .moment(kept.last_repeat_at)
        .number(number(kept.replayed_as))
        .number(kept.size)
}
