//! `/deliveries/{id}`: one delivery with its body; and the last delivery on a check's page.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure, deliveries,
    layout::{self, Position, Section},
    parts, words,
};
use crate::{
    domain::Timestamp,
    store::KeptDelivery,
    web::{
        Ops, kept,
        query::{Fields, Segment},
    },
};

/// Most bytes of a body that the page shows.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Most logins of a list that the page shows; the JSON has all.
const NAMED: usize = 100;

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    let key = id.clone();
    let read = ops
        .sources
        .store
        .read(move |reader| Ok((reader.last_seq()?, kept::find_delivery(reader, &key)?)));
    let (seq, record) = read.await?;
    let record = record.ok_or_else(|| kept::unknown_delivery(&id))?;
    let kept = &record.kept;
    let number = kept.number.unwrap_or_default();
    let title = format!("Delivery {number}");
    let content = html! {
        div .title {
            h1 { (title) }
            p .lead { (deliveries::delivery_subject(kept)) "; received " (words::ago(kept.received_at)) "." }
        }
        (figures(kept))
        section .card aria-labelledby="envelope-title" {
            div .head {
                h2 #envelope-title { "What it says" }
                span .more {
                    a href={ "/api/v1/deliveries/" (number) } { "JSON" }
                    a href="/deliveries" { "All deliveries" }
                }
            }
            dl .list {
                @let remarks = deliveries::remarks(kept);
                @if !remarks.0.is_empty() { dt { "Remarks" } dd { (remarks) } }
                (envelope_rows(kept))
                (text_row("Title", kept.title.as_ref()))
                (text_row("Severity", kept.severity.as_ref()))
                (login_rows("Known before", &record.known_users))
                (login_rows("Cleared by a newer answer", &record.cleared_users))
                @for note in &kept.notes { dt { "Note" } dd { (note) } }
            }
        }
        section .card aria-labelledby="body-title" {
            div .head { h2 #body-title { "Body" } }
            @if record.body.is_some() {
                (deliveries::body_details(&record, BODY_BYTES, true))
            } @else {
                p .soft { "No body is kept." }
            }
            @if kept.is_refused() && kept.has_body && kept.replayed_as.is_none() {
                p .soft {
                    "When it is understood after an update: "
                    code .copy { "cii-exporter deliveries replay " (number) }
                }
            }
        }
    };
    Ok(layout::render_page(&ops, Position::Under(Section::Deliveries), &title, seq, &content))
}

fn figures(kept: &KeptDelivery) -> Markup {
    html! {
        section .card aria-label="Figures" {
            dl .facts {
                (parts::fact("Result", &html! {
                    (words::sentence_case(&kept.result.replace('_', " ")))
                    small { "answered with " (kept.status) }
                }))
                (parts::fact("Users named", &html! { (words::number(kept.users_failing)) }))
                (parts::fact("Newly failing", &html! { (words::number(kept.users_newly_failing)) }))
                (parts::fact("Known before", &html! { (words::number(kept.users_known)) }))
                @if kept.users_cleared > 0 {
                    (parts::fact("Cleared", &html! {
                        (words::number(kept.users_cleared)) small { "by a newer answer" }
                    }))
                }
                @if let Some(size) = kept.size { (parts::fact("Size", &html! { (words::bytes(size)) })) }
            }
        }
    }
}

/// The fields of the envelope as rows of a definition list.
fn envelope_rows(kept: &KeptDelivery) -> Markup {
    html! {
        (text_row("Envelope id", kept.id.as_ref()))
        (text_row("Detail id", kept.detail_id.as_ref()))
        (text_row("Detail type", kept.detail_type.as_ref()))
        (moment_row("Published", kept.published_at))
        (moment_row("Time", kept.sent_at))
        (text_row("Region", kept.region.as_ref()))
        (text_row("Account", kept.account.as_ref()))
        (text_row("Source", kept.source.as_ref()))
    }
}

/// A check's last delivery as rows of a definition list.
pub(super) fn last_delivery_rows(kept: Option<&KeptDelivery>) -> Markup {
    let Some(kept) = kept else {
        return html! { dt { "Last delivery" } dd { "None is kept" } };
    };
    let number = kept.number.unwrap_or_default();
    html! {
        dt { "Last delivery" }
        dd { a href={ "/deliveries/" (number) } { "Delivery " (number) } ", " (words::ago(kept.received_at)) }
        (envelope_rows(kept))
    }
}

fn text_row(name: &str, value: Option<&String>) -> Markup {
    html! {
        @if let Some(value) = value.filter(|value| !value.is_empty()) {
            dt { (name) } dd { (value) }
        }
    }
}

fn moment_row(name: &str, at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { dt { (name) } dd { (words::ago(at)) } } }
}

fn login_rows(name: &str, logins: &[String]) -> Markup {
    html! {
        @if !logins.is_empty() {
            dt { (name) }
            dd {
                @for login in logins.iter().take(NAMED) { (words::subject_link("users", login, login)) " " }
                @if logins.len() > NAMED { "and " (logins.len() - NAMED) " more" }
            }
        }
    }
}
