//! `/deliveries`: whether deliveries arrive, and what was refused, why, with
//! which body.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    Failure,
    layout::{self, Position, Section},
    words,
};
use crate::{
    clock,
    domain::{Severity, Timestamp},
    ingest::Outcome,
    store::{DeliveryCounts, DeliveryRecord, KeptDelivery, Reader, StoreError},
    web::{Ops, link, query::Fields},
};

/// Rows of the list of all deliveries.
const SHOWN: usize = 50;

/// Refused deliveries that are shown with their bodies.
const REFUSED: usize = 20;

/// Bytes of a body that the list shows; the delivery's own page has the rest.
const BODY_BYTES: usize = 2048;

/// All that the page reads, in one transaction.
struct Found {
    seq: i64,
    last_at: Option<Timestamp>,
    day: DeliveryCounts,
    week: DeliveryCounts,
    refused: Vec<DeliveryRecord>,
    all: Vec<KeptDelivery>,
}

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::of(&uri)?;
    let before = fields.number("before", 1, i64::MAX)?;
    fields.finish()?;
    let mut found =
        ops.sources.store.read(move |reader| read(reader, before.unwrap_or(i64::MAX))).await?;
    let next = (found.all.len() > SHOWN).then(|| found.all[SHOWN - 1].number).flatten();
    found.all.truncate(SHOWN);
    let unkept = ops.sources.webhook.refusals.unkept();
    let unauthorized = ops.sources.meters.webhook.requests(Outcome::Unauthorized);
    let content = html! {
        div .title {
            h1 { "Deliveries" }
            p #summary .lead role="status" data-live {
                @match found.last_at {
                    Some(at) => { "The service's last delivery came " (words::ago(at)) }
                    None => "No delivery of the service came yet",
                }
                "; " (found.week.refused) " refused in 7 days."
            }
        }
        (standing(&found.day, &unkept, unauthorized))
        (refused(&found.refused, &unkept))
        section #accepted .card aria-labelledby="accepted-title" data-live {
            div .head { h2 #accepted-title { "All deliveries" } }
            (table(&found.all))
            @if let Some(next) = next {
                p .end { a href={ "/deliveries?before=" (next) "#accepted" } { "Older deliveries" } }
            }
            p .end { a href="/api/v1/deliveries" { "JSON" } }
        }
    };
    Ok(layout::page(&ops, Position::At(Section::Deliveries), "Deliveries", found.seq, &content))
}

fn read(reader: &Reader, before: i64) -> Result<Found, StoreError> {
    let now = clock::now();
    let mut refused = Vec::new();
    for kept in reader.deliveries(Some(true), i64::MAX, REFUSED)? {
        refused.extend(kept.number.map(|number| reader.delivery(number)).transpose()?.flatten());
    }
    Ok(Found {
        seq: reader.last_seq()?,
        last_at: reader.last_delivery_at()?,
        day: reader.delivery_counts(now - TimeDelta::hours(24))?,
        week: reader.delivery_counts(now - TimeDelta::days(7))?,
        refused,
        all: reader.deliveries(None, before, SHOWN + 1)?,
    })
}

fn standing(day: &DeliveryCounts, unkept: &[KeptDelivery], unauthorized: u64) -> Markup {
    html! {
        section #figures .card aria-label="Figures" data-live {
            dl .list {
                dt { "Taken, 24 hours" } dd { (day.accepted) }
                dt { "Came again, 24 hours" } dd { (day.repeats) }
                dt { "Refused, 24 hours" } dd { (day.refused) }
                @if !unkept.is_empty() {
                    dt { "Refused while the store failed" } dd { (unkept.len()) " in memory" }
                }
                dt { "Secret missing or wrong" }
                dd { (unauthorized) " since the start; nothing of them is kept" }
            }
        }
    }
}

fn refused(records: &[DeliveryRecord], unkept: &[KeptDelivery]) -> Markup {
    html! {
        section #refused .card aria-labelledby="refused-title" data-live {
            div .head { h2 #refused-title { "Refused" } }
            @if records.is_empty() && unkept.is_empty() {
                p .soft { "Nothing that came with a valid secret was refused." }
            } @else {
                p .soft { "Of the last 100 that could not be understood the body is kept." }
                ul {
                    @for kept in unkept { li { (refusal(kept)) } }
                    @for record in records {
                        li {
                            (refusal(&record.kept))
                            (body(record, BODY_BYTES))
                        }
                    }
                }
            }
        }
    }
}

fn refusal(kept: &KeptDelivery) -> Markup {
    html! {
        p {
            (words::ago(kept.received_at)) " "
            strong { (kept.status) } " " (kept.reason.as_deref().unwrap_or_default()) " "
            @match (kept.replayed_as, kept.number) {
                (Some(number), _) => { "Replayed as " (page_of(Some(number), &format!("delivery {number}"))) "." }
                (None, Some(number)) => {
                    (page_of(Some(number), &format!("Delivery {number}")))
                    @if kept.has_body {
                        ", when it is understood after an update: "
                        code { "cii-exporter deliveries replay " (number) }
                    }
                }
                (None, None) => "Kept in memory only: the store could not take it.",
            }
        }
    }
}

/// The body of a delivery, folded.
pub(super) fn body(record: &DeliveryRecord, most: usize) -> Markup {
    let Some(bytes) = &record.body else { return html! {} };
    let shown = bytes.len().min(most);
    let size = record.kept.size.unwrap_or(bytes.len() as u64);
    let is_whole = size == shown as u64;
    html! {
        details {
            summary {
                @if is_whole {
                    "Body, " (size) " bytes"
                } @else {
                    "Body, first " (shown) " of " (size) " bytes"
                }
                @if record.body_is_packed { ", gzip that could not be unpacked" }
            }
            pre { (String::from_utf8_lossy(&bytes[..shown])) }
        }
    }
}

fn page_of(number: Option<i64>, text: &str) -> Markup {
    html! {
        @if let Some(number) = number { a href={ "/deliveries/" (number) } { (text) } } @else { (text) }
    }
}

fn table(deliveries: &[KeptDelivery]) -> Markup {
    html! {
        @if deliveries.is_empty() {
            p .soft { "No delivery." }
        } @else {
            div .table {
                table .stack {
                    thead {
                        tr {
                            th scope="col" { "When" }
                            th scope="col" { "Check" }
                            th scope="col" { "Severity" }
                            th scope="col" .number { "Users" }
                            th scope="col" .number { "New" }
                            th scope="col" { "Result" }
                            th scope="col" .minor { "Number" }
                        }
                    }
                    tbody { @for delivery in deliveries { (row(delivery)) } }
                }
            }
        }
    }
}

fn row(delivery: &KeptDelivery) -> Markup {
    let severity = Severity::new(delivery.severity.as_deref());
    html! {
        tr {
            td { (words::ago(delivery.received_at)) }
            th scope="row" { (about(delivery)) }
            td { @if severity.text().is_some() { (words::severity(&severity)) } }
            td .number data-is="users" { (delivery.users_failing) }
            td .number data-is="new" { (delivery.users_newly_failing) }
            td {
                (delivery.result)
                small { (remarks(delivery)) }
            }
            td .minor {
                (page_of(delivery.number, &delivery.number.map_or("-".to_owned(), |n| n.to_string())))
            }
        }
    }
}

/// What a delivery is about.
pub(super) fn about(delivery: &KeptDelivery) -> Markup {
    match (&delivery.check_id, delivery.result.as_str()) {
        (Some(id), "accepted") => {
            let title = delivery.title.as_deref().filter(|title| !title.is_empty());
            words::subject("checks", id, title.unwrap_or(id))
        }
        (Some(id), _) => html! { (id) },
        (None, "test") => html! { "Test message" },
        (None, _) if delivery.is_refused() => html! { "Not understood" },
        (None, _) => match delivery.detail_type.as_deref() {
            None | Some("") => html! { "No check" },
            Some(detail_type) => html! { "Type " (detail_type) },
        },
    }
}

/// Why it opened nothing, and what else is to know.
pub(super) fn remarks(delivery: &KeptDelivery) -> Markup {
    html! {
        @if let Some(reason) = &delivery.reason { (reason) " " }
        @if delivery.logins_skipped > 0 {
            (words::count(delivery.logins_skipped, "login", "logins")) " cannot be used "
        }
        @if let Some(at) = delivery.last_repeat_at {
            "came again " (words::count(delivery.repeats, "time", "times")) ", last " (words::ago(at)) " "
        }
        @if let Some(number) = delivery.replayed_as {
            "replayed as " (link_to(number))
        }
    }
}

fn link_to(number: i64) -> Markup {
    let text = format!("delivery {number}");
    html! { a href=(link::to("deliveries", &number.to_string())) { (text) } }
}
