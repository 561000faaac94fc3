//! `/deliveries`: counts and the list of deliveries, and refused ones with reason and body.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    Failure,
    glyph::{self, Glyph},
    known,
    layout::{self, Position, Section},
    parts, words,
};
use crate::{
    clock,
    domain::{Severity, Timestamp},
    ingest::Outcome,
    store::{DeliveryCounts, DeliveryFilter, DeliveryRecord, KeptDelivery, Reader, StoreError},
    web::{Ops, link, problem::Problem, query::Fields},
};

/// Rows per page of the list of all deliveries.
const SHOWN: usize = 50;

/// Most refused deliveries that are shown with their bodies.
const REFUSED: usize = 20;

/// Most bytes of a body in the list; the delivery's own page shows more.
const BODY_BYTES: usize = 2048;

/// The results that the filter offers, with their labels.
const RESULTS: [(&str, &str); 4] = [
    ("accepted", "Accepted"),
    ("filtered", "Filtered out"),
    ("test", "Test message"),
    ("refused", "Refused"),
];

/// The data of the page, read in one transaction.
struct Found {
    seq: i64,
    last_at: Option<Timestamp>,
    day: DeliveryCounts,
    week: DeliveryCounts,
    refused: Vec<DeliveryRecord>,
    all: Vec<KeptDelivery>,
    known: Vec<(String, String)>,
}

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?.without_empty();
    let before = fields.take_number("before", 1, i64::MAX)?;
    let filter = take_filter(&mut fields)?;
    fields.finish()?;
    let (before, asked) = (before.unwrap_or(i64::MAX), filter.clone());
    let mut found =
        ops.sources.store.read(move |reader| read_deliveries(reader, &asked, before)).await?;
    let next = (found.all.len() > SHOWN).then(|| found.all[SHOWN - 1].number).flatten();
    found.all.truncate(SHOWN);
    let unkept = ops.sources.webhook.refusals.unkept();
    let content = html! {
        div .title {
            h1 { "Deliveries" }
            p #summary .lead role="status" data-live {
                @match found.last_at {
                    Some(at) => { "The service's last delivery came " (words::ago(at)) }
                    None => "No delivery of the service came yet",
                }
                "; " (words::number(found.week.refused)) " refused in 7 days."
            }
        }
        (figures(&ops, &found.day, &unkept))
        (refused_section(&found.refused, &unkept))
        section #accepted .card aria-labelledby="accepted-title" {
            div .head {
                h2 #accepted-title { "All deliveries" }
                p .soft { "the newest first" }
                span .more {
                    a href=(list_url("/deliveries.csv", &filter, None)) { "CSV" }
                    a href="/api/v1/deliveries" { "JSON" }
                }
            }
            (filter_form(&filter, &found.known))
            div #delivery-list data-live {
                (table(&found.all, &filter))
                @if let Some(next) = next {
                    p .end { a href=(list_url("/deliveries", &filter, Some(next)) + "#accepted") { "Older deliveries" } }
                }
            }
        }
    };
    Ok(layout::render_page(
        &ops,
        Position::At(Section::Deliveries),
        "Deliveries",
        found.seq,
        &content,
    ))
}

/// Takes the filter's fields out of a query.
///
/// # Errors
/// When there is no such result.
pub(super) fn take_filter(fields: &mut Fields) -> Result<DeliveryFilter, Problem> {
    Ok(DeliveryFilter {
        check_id: fields.take("check_id"),
        result: fields.take("result").map(parse_result).transpose()?,
    })
}

fn parse_result(word: String) -> Result<String, Problem> {
    if RESULTS.iter().any(|(known, _)| *known == word) {
        return Ok(word);
    }
    let known: Vec<_> = RESULTS.iter().map(|(word, _)| *word).collect();
    Err(Problem::bad_request(format!("result={word}: there are {}", known.join(", "))))
}

fn read_deliveries(
    reader: &Reader,
    filter: &DeliveryFilter,
    before: i64,
) -> Result<Found, StoreError> {
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
        all: reader.matching_deliveries(filter, before, SHOWN + 1)?,
        known: known::read_checks(reader)?,
    })
}

fn figures(ops: &Ops, day: &DeliveryCounts, unkept: &[KeptDelivery]) -> Markup {
    let unauthorized = ops.sources.meters.webhook.request_count(Outcome::Unauthorized);
    html! {
        section #figures .card aria-label="Figures" data-live {
            dl .facts {
                (parts::fact("Taken, 24 hours", &html! { (words::number(day.accepted)) }))
                (parts::fact("Came again, 24 hours", &html! { (words::number(day.repeats)) }))
                (parts::fact("Refused, 24 hours", &html! {
                    (words::number(day.refused)) @if day.refused > 0 { small { "kept below" } }
                }))
                @if !unkept.is_empty() {
                    (parts::fact("Refused while the store failed", &html! { (unkept.len()) small { "in memory" } }))
                }
                (parts::fact("Secret missing or wrong", &html! {
                    (words::number(unauthorized)) small { "since the start; nothing of them is kept" }
                }))
            }
        }
    }
}

fn refused_section(records: &[DeliveryRecord], unkept: &[KeptDelivery]) -> Markup {
    html! {
        section #refused .card aria-labelledby="refused-title" data-live {
            div .head {
                h2 #refused-title { "Refused" }
                p .soft { "the last 100 bodies that came with a valid secret are kept" }
            }
            @if records.is_empty() && unkept.is_empty() {
                p .soft { "Nothing that came with a valid secret was refused." }
            } @else {
                ol .events {
                    @for kept in unkept { (refusal_item(kept, &html! {})) }
                    @for record in records { (refusal_item(&record.kept, &body_details(record, BODY_BYTES, false))) }
                }
            }
        }
    }
}

fn refusal_item(kept: &KeptDelivery, body: &Markup) -> Markup {
    html! {
        li .event {
            (words::ago(kept.received_at))
            (glyph::named_glyph(Glyph::Stop, "", "refused"))
            div {
                p {
                    b { (kept.status) } " " (kept.reason.as_deref().unwrap_or_default()) " "
                    @if let Some(number) = kept.number { (delivery_link(Some(number), &format!("Delivery {number}"))) }
                }
                (body)
                p .soft {
                    @match (kept.replayed_as, kept.number) {
                        (Some(number), _) => { "Replayed as " (delivery_link(Some(number), &format!("delivery {number}"))) "." }
                        (None, Some(number)) if kept.has_body => {
                            "When it is understood after an update: "
                            code .copy { "cii-exporter deliveries replay " (number) }
                        }
                        (None, Some(_)) => {},
                        (None, None) => "Kept in memory only: the store could not take it.",
                    }
                }
            }
            code .minor { (kept.result) }
        }
    }
}

/// A foldable element with the first `most` bytes of the body.
pub(super) fn body_details(record: &DeliveryRecord, most: usize, is_open: bool) -> Markup {
    let Some(bytes) = &record.body else { return html! {} };
    let shown = bytes.len().min(most);
    let size = record.kept.size.unwrap_or(bytes.len() as u64);
    let is_whole = size == shown as u64;
    html! {
        details open[is_open] {
            summary {
                @if is_whole {
                    "Body, " (words::number(size)) " bytes"
                } @else {
                    "Body, first " (words::number(shown as u64)) " of " (words::number(size)) " bytes"
                }
                @if record.body_is_packed { ", gzip that could not be unpacked" }
            }
            pre { (String::from_utf8_lossy(&bytes[..shown])) }
        }
    }
}

fn delivery_link(number: Option<i64>, text: &str) -> Markup {
    html! {
        @if let Some(number) = number { a href={ "/deliveries/" (number) } { (text) } } @else { (text) }
    }
}

fn filter_form(filter: &DeliveryFilter, known: &[(String, String)]) -> Markup {
    let check = filter.check_id.as_deref().unwrap_or_default();
    let is_filtered = *filter != DeliveryFilter::default();
    html! {
        details open[is_filtered] {
            summary { "Filter the deliveries" }
            form .filter method="get" action="/deliveries#accepted" role="search" aria-label="Filter the deliveries" {
                div {
                    label for="check_id" { "Check (id)" }
                    input #check_id name="check_id" value=(check) list=(known::CHECKS_ID)
                        autocomplete="off" spellcheck="false";
                    (known::checks_datalist(known))
                }
                div {
                    label for="result" { "Result" }
                    select #result name="result" {
                        option value="" { "Every result" }
                        @for (word, name) in RESULTS {
                            option value=(word) selected[filter.result.as_deref() == Some(word)] { (name) }
                        }
                    }
                }
                div {
                    button type="submit" { "Filter" }
                    @if is_filtered { " " a href="/deliveries#accepted" { "Clear" } }
                }
            }
        }
    }
}

/// The URL of a list with the filter, from the delivery before `before` on.
fn list_url(path: &str, filter: &DeliveryFilter, before: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [("check_id", &filter.check_id), ("result", &filter.result)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn table(deliveries: &[KeptDelivery], filter: &DeliveryFilter) -> Markup {
    html! {
        @if deliveries.is_empty() && *filter == DeliveryFilter::default() {
            p .soft {
                "None yet. To see that the webhook takes one: "
                code .copy { "cii-exporter webhook test" }
            }
        } @else if deliveries.is_empty() {
            p .soft { "No delivery fits." }
        } @else {
            table .stack {
                caption .unseen { "Deliveries" }
                thead {
                    tr {
                        th scope="col" { "When" }
                        th scope="col" { "Severity" }
                        th scope="col" .c-what { "Check" }
                        th scope="col" .number { "Users" }
                        th scope="col" .number { "New" }
                        th scope="col" { "Result" }
                        th scope="col" .number { "Number" }
                    }
                }
                tbody { @for delivery in deliveries { (row(delivery)) } }
            }
        }
    }
}

fn row(delivery: &KeptDelivery) -> Markup {
    let severity = Severity::new(delivery.severity.as_deref());
    let number = |count: u64| if count == 0 { "number zero" } else { "number" };
    let is_usual = delivery.result == "accepted";
    html! {
        tr {
            td { (words::ago(delivery.received_at)) }
            td { @if severity.text().is_some() { (glyph::severity_label(&severity)) } }
            th scope="row" { (delivery_subject(delivery)) }
            td class=(number(delivery.users_failing)) data-is="users" { (words::number(delivery.users_failing)) }
            td class=(number(delivery.users_newly_failing)) data-is="new" { (words::number(delivery.users_newly_failing)) }
            td .zero[is_usual && delivery.reason.is_none() && delivery.last_repeat_at.is_none() && delivery.logins_skipped == 0] {
                (delivery.result.replace('_', " "))
                @let remarks = remarks(delivery);
                @if !remarks.0.is_empty() { small { (remarks) } }
            }
            td .number data-is="number" {
                (delivery_link(delivery.number, &delivery.number.map_or("-".to_owned(), |n| n.to_string())))
            }
        }
    }
}

/// The subject of a delivery: its check, or what else it is.
pub(super) fn delivery_subject(delivery: &KeptDelivery) -> Markup {
    match (&delivery.check_id, delivery.result.as_str()) {
        (Some(id), "accepted") => {
            let title = delivery.title.as_deref().filter(|title| !title.is_empty());
            words::subject_link("checks", id, title.unwrap_or(id))
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

/// Why the delivery opened no failure, and other remarks.
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
            "replayed as " (numbered_link(number))
        }
    }
}

fn numbered_link(number: i64) -> Markup {
    let text = format!("delivery {number}");
    html! { a href=(link::page_url("deliveries", &number.to_string())) { (text) } }
}
