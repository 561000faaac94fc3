//! `/users/{login}`: a user's checks, addresses, profile and events.

mod addresses;
mod checks;
mod profile;

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    Failure, events,
    layout::{self, Position, Section},
    lists, parts, polls, words,
};
use crate::{
    clock,
    domain::{Login, Severity, Timestamp},
    store::{EventFilter, LogPage, PastFailure, Reader, StoreError},
    web::{
        Ops, link,
        problem::Problem,
        query::{Fields, Segment},
        subject::{self, KnownUser},
    },
};
use addresses::Seen;
use checks::CheckRow;

/// Events on the page.
const SHOWN: usize = 10;

/// How long ended failures are shown.
const PAST: TimeDelta = TimeDelta::days(30);

/// Most ended failures that are read; all failures of a check share one row.
const MOST_PAST: usize = 500;

/// The data of the page, read in one transaction.
struct Found {
    seq: i64,
    known: KnownUser,
    past: Vec<PastFailure>,
    /// The moment of the oldest event in the log.
    log_begins_at: Option<Timestamp>,
    seen: Vec<Seen>,
    log: LogPage,
}

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    render_user(&ops, &text).await
}

/// `/users?login=`: the same page, for a login that cannot be in a path.
pub(super) async fn page_by_query(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?;
    let text = fields.take_subject("users")?;
    let list = fields.take("list");
    fields.finish()?;
    match list.as_deref() {
        None => render_user(&ops, &text).await,
        Some("checks.csv") => lists::stream_failures(&ops, &text).await,
        Some(other) => Err(Problem::not_found(format!("a user has no list {other:?}")).into()),
    }
}

async fn render_user(ops: &Ops, text: &str) -> Result<Response, Failure> {
    let login = Login::new(text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let key = login.clone();
    let found = ops.sources.store.read(move |reader| read_user(reader, &key)).await?;
    let Found { seq, known, past, log_begins_at, seen, log } =
        found.ok_or_else(|| subject::unknown_user(&login))?;
    let login = &known.login;
    let now = clock::now();
    let rows = checks::build_rows(&known.failing, past, &ops.sources.scope.borrow().objectives);
    let name = known.record.as_ref().map(|record| record.state.display_name.as_str());
    let name = name.filter(|name| !name.is_empty());
    let observed_at = known.record.as_ref().map(|record| record.observed_at);
    let content = html! {
        div .title {
            h1 { @match name { Some(name) => (name), None => (words::breakable(login.spelling())) } }
            @if name.is_some() { p .lead { (words::breakable(login.spelling())) } }
        }
        section #figures .card aria-label="Figures" data-live {
            (figures(ops, &known, &rows, &seen, now))
        }
        (polls::no_api_notice(ops, observed_at))
        div #poll data-live { @if let Some(poll) = &known.poll { (polls::section(poll)) } }
        section #failing .card aria-labelledby="failing-title" data-live {
            div .head {
                h2 #failing-title { "Checks" }
                p .soft { "failing now, then resolved in 30 days" }
                span .more {
                    @if !known.failing.is_empty() {
                        a href=(link::list_url("users", login.as_str(), "checks.csv")) { "CSV" }
                    }
                    a href={ "/api/v1" (link::page_url("users", login.as_str())) } { "JSON" }
                    @if let Some(record) = &known.record { (words::console_link(record.state.reference_url.as_ref())) }
                }
            }
            (checks::table(&rows, log_begins_at, now))
            (untold_notes(&known))
        }
        (addresses::section(&seen, known.record.is_some(), now))
        div #snapshot .pair data-live { (profile::sections(&known)) }
        section #events .card aria-labelledby="events-title" data-live {
            div .head { h2 #events-title { "What happened" } }
            (events::event_list(&log, events::NONE_OF_IT))
            p .end { a href={ "/?login=" (link::escape_segment(login.as_str())) "#events" } { "All events of the user" } }
        }
    };
    Ok(layout::render_page(
        ops,
        Position::Under(Section::Overview),
        login.spelling(),
        seq,
        &content,
    ))
}

fn read_user(reader: &Reader, login: &Login) -> Result<Option<Found>, StoreError> {
    let Some(known) = subject::read_user(reader, login)? else { return Ok(None) };
    let key = login.as_str();
    let filter = EventFilter { login: Some(key.to_owned()), ..EventFilter::default() };
    Ok(Some(Found {
        seq: reader.last_seq()?,
        past: reader.past_failures(key, clock::now() - PAST, MOST_PAST)?,
        log_begins_at: reader.log_begins_at()?,
        seen: addresses::read_addresses(reader, key, known.record.as_ref())?,
        log: events::read_log(reader, &filter, i64::MAX, SHOWN)?,
        known,
    }))
}

/// Notes on texts of the service that match no check, and on missing failing checks.
fn untold_notes(known: &KnownUser) -> Markup {
    html! {
        @if !known.undecided.is_empty() {
            p .soft {
                "The service also lists "
                @for (position, text) in known.undecided.iter().enumerate() {
                    @if position > 0 { ", " } "\"" (text) "\""
                }
                ", which no check is known by for certain: it opens and ends nothing."
            }
        }
        @if let Some(since) = known.failing_checks_untold_since() {
            p .soft { "The service does not tell which checks the user fails, since " (words::ago(since)) "." }
        }
    }
}

fn figures(
    ops: &Ops,
    known: &KnownUser,
    rows: &[CheckRow],
    seen: &[Seen],
    now: Timestamp,
) -> Markup {
    let state = known.record.as_ref().map(|record| &record.state);
    let overdue = rows.iter().filter_map(|row| row.overdue_by(now));
    let (late, longest) = (overdue.clone().count(), overdue.max());
    let is_untold = known.failing_checks_untold_since().is_some();
    html! {
        dl .facts {
            (parts::fact("Fails", &html! {
                @if known.failing.is_empty() && is_untold { "not told" }
                @else { (words::count(known.failing.len() as u64, "check", "checks")) }
                small { (severity_counts(known)) }
            }))
            (parts::fact("Overdue", &html! {
                @match longest {
                    Some(longest) => {
                        (words::count(late as u64, "check", "checks"))
                        small { "by " (words::duration(longest)) }
                    },
                    None => "none",
                }
            }))
            @if let Some(state) = state {
                (parts::fact("Status", &html! {
                    @if state.status.is_empty() { "not told" } @else { (words::readable_word(&state.status)) }
                }))
                @if let Some(factors) = &state.used_factors {
                    (parts::fact("Second factors", &html! {
                        @match factors.first() {
                            None => "none",
                            Some(first) => {
                                (factors.len())
                                small { (first) @if factors.len() > 1 { " and " (factors.len() - 1) " more" } }
                            },
                        }
                    }))
                }
                (parts::fact("Addresses", &addresses::figure(seen, now)))
            }
            (parts::fact("Last poll", &polls::last_poll(ops, known.poll.as_ref(), !known.reasons.is_empty(), ops.sources.polls.users.as_ref())))
        }
    }
}

/// The failing checks by severity: `1 critical, 2 high`.
fn severity_counts(known: &KnownUser) -> String {
    let count =
        |label: &str| known.failing.iter().filter(|check| check.severity.label() == label).count();
    let counts = Severity::LABELS.iter().map(|label| (*label, count(label)));
    let told: Vec<_> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(label, count)| format!("{count} {label}"))
        .collect();
    told.join(", ")
}
