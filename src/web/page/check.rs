//! `/checks/{id}`: the figures of a check, its trend, the advice, and the users who fail it.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    Failure, delivery,
    failers::{Asked, Failers},
    glyph,
    layout::{self, Position, Section},
    lists,
    overview::{self, Row},
    parts::fact,
    tiles, trend,
    trust::{self, Confirmed},
    words,
};
use crate::{
    clock,
    store::{CheckAdvice, Counted, EndedDurations, KeptDelivery},
    web::{
        Ops, link,
        listing::{self, Setting},
        parts,
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Most ended failures of which the median is computed.
const ENDED: usize = 2_000;

/// Most rows that are scanned from either end to count overdue failures; beyond, the count is a
/// lower bound.
const LOOKS: u64 = 50_000;

/// Most rows that are scanned to count the users who began before the last 24 hours.
const NEW: u64 = 10_000;

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    render_check(&ops, id, Fields::parse(&uri)?).await
}

/// `/checks?id=`: the same page, for an id that cannot be in a path.
pub(super) async fn page_by_query(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?;
    let id = fields.take_subject("checks")?;
    match fields.take("list").as_deref() {
        None => render_check(&ops, id, fields).await,
        Some("users.csv") => {
            fields.finish()?;
            lists::stream_failers(&ops, id).await
        }
        Some(other) => Err(Problem::not_found(format!("a check has no list {other:?}")).into()),
    }
}

async fn render_check(ops: &Ops, id: String, mut fields: Fields) -> Result<Response, Failure> {
    let asked = Asked::take_from(&mut fields)?;
    fields.finish()?;
    let (key, setting) = (id.clone(), Setting::from_ops(ops));
    let jobs: Vec<_> = ops.sources.polls.jobs().map(|(name, _)| name).collect();
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let now = clock::now();
    let (seq, listing, stored, found) = ops
        .sources
        .store
        .read(move |reader| {
            let found = match reader.check(&key)? {
                None => None,
                Some(state) => {
                    let mut row = Row::new(key.clone(), state, &objectives, now);
                    row.overdue = overview::count_overdue(reader, &row, now, LOOKS)?;
                    let day = now - TimeDelta::hours(24);
                    let old = reader.failures_before_at_most(&key, day, row.state.failing, NEW)?;
                    let lasted =
                        reader.ended_durations(Some(&key), now - tiles::RESOLVED_IN, ENDED)?;
                    let words = (reader.check_advice(&key)?, reader.last_delivery_of(&key)?);
                    let failers = Failers::read(reader, &row, &asked, old, now)?;
                    Some((row, lasted, words, failers))
                }
            };
            let listing = listing::read_listing(reader, &setting)?;
            Ok((reader.last_seq()?, listing, parts::read_stored(reader, jobs)?, found))
        })
        .await?;
    let Some((row, lasted, (advice, last), failers)) = found else {
        return Err(lists::unknown_check(&id).into());
    };
    let (parts, _) = parts::judge(ops, stored);
    let confirmed = trust::confirmed_until(ops, &parts);
    let state = &row.state;
    let content = html! {
        div .title {
            h1 { (state.title) }
            (glyph::severity_label(&state.severity))
            p .lead { code { (words::breakable(&id)) } }
        }
        div #trust data-live { (trust::trust_notice(confirmed)) }
        p #summary .unseen role="status" data-live { (summary(state.failing)) }
        section #figures .card aria-label="Figures" data-live {
            (figures(&row, confirmed, lasted, last.as_ref()))
        }
        div .pair {
            (trend::section(&row, confirmed, now))
            (advice_section(&id, &advice, last.as_ref()))
        }
        (failers.section(&row, &listing))
        (about_section(&row, last.as_ref()))
    };
    Ok(layout::render_page(ops, Position::Under(Section::Overview), &state.title, seq, &content))
}

fn summary(failing: u64) -> String {
    match failing {
        0 => "Nobody is known to fail the check.".to_owned(),
        _ => {
            words::count(failing, "user is known to fail", "users are known to fail")
                + " the check."
        }
    }
}

/// Up to six figures: failing users, change, overdue, oldest, time to resolve, last delivery.
fn figures(
    row: &Row,
    confirmed: Confirmed,
    lasted: Option<EndedDurations>,
    last: Option<&KeptDelivery>,
) -> Markup {
    let state = &row.state;
    let target = row.target.map(words::two_units);
    html! {
        dl .facts {
            (fact("Failing now", &html! { (words::count(state.failing, "user", "users")) }))
            (fact("24 hours", &html! {
                "+" (words::number(row.change.new)) " "
                @if row.change.resolved == 0 && confirmed != Confirmed::Now { "−?" }
                @else { "−" (words::number(row.change.resolved)) }
            }))
            @if let (Some(overdue), Some(target)) = (row.overdue, target) {
                (fact(&format!("Overdue, target {target}"), &overdue_users(overdue)))
            }
            @if let Some(oldest) = state.oldest_failure_at {
                (fact("Oldest", &words::elapsed(oldest)))
            }
            @if let Some(lasted) = lasted {
                (fact("Median time to resolve", &html! {
                    (words::two_units(lasted.median)) " "
                    small { (words::number(lasted.count)) " resolved in 30 d" }
                }))
            }
            @if let Some(last) = last {
                (fact("Last delivery", &words::ago(last.received_at)))
            }
        }
    }
}

fn overdue_users(overdue: Counted) -> Markup {
    match overdue {
        Counted::Exactly(count) => html! { (words::count(count, "user", "users")) },
        Counted::MoreThan(count) => html! { "over " (words::count(count, "user", "users")) },
    }
}

/// The description and the advice of the service, with links.
fn advice_section(id: &str, advice: &CheckAdvice, last: Option<&KeptDelivery>) -> Markup {
    let has_words = !advice.description.is_empty() || !advice.recommended_actions.is_empty();
    html! {
        section .card aria-labelledby="do-title" {
            div .head { h2 #do-title { "What to do" } }
            @for sentence in &advice.description { p { (sentence) } }
            @if !advice.recommended_actions.is_empty() {
                ul .advice { @for action in &advice.recommended_actions { li { (action) } } }
            }
            @if !has_words { p .soft { "No delivery told what the check looks for, or what to do." } }
            p .end {
                a href={ "/?check_id=" (link::escape_segment(id)) "#events" } { "Events of the check" }
                @if let Some(number) = last.and_then(|last| last.number) {
                    a href={ "/deliveries/" (number) } { "Last delivery" }
                }
                a href={ "/api/v1" (link::list_url("checks", id, "users")) } { "JSON" }
            }
        }
    }
}

/// Totals, and the envelope of the last delivery.
fn about_section(row: &Row, last: Option<&KeptDelivery>) -> Markup {
    let state = &row.state;
    html! {
        section .card aria-labelledby="about-title" {
            div .head { h2 #about-title { "About the check" } }
            dl .list {
                dt { "Counted" } dd {
                    (words::count(state.failures, "failure", "failures")) " found, "
                    (words::number(state.resolutions)) " of them ended: no longer failing"
                }
                dt { "Last change" } dd { (words::ago(state.last_event_at)) }
                (delivery::last_delivery_rows(last))
            }
        }
    }
}
