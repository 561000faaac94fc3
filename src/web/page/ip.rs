//! `/ips/{ip}`: the users of an address, which of them are new, and which fail a check.

use std::{cmp::Reverse, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    Failure, events,
    glyph::{self, Glyph},
    layout::{self, Position, Section},
    parts, polls, reasons, words,
};
use crate::{
    clock,
    domain::{Severity, Timestamp},
    store::{EventFilter, IpRecord, IpRecordUser, LogPage, Reader, StoreError},
    web::{
        Ops, filter, link,
        query::{Fields, Segment},
        subject::{self, KnownIp},
    },
};

/// Users per page.
const SHOWN: usize = 100;

/// Most users whose failing checks are read, to sort those who fail first. Further users are sorted
/// by login.
const SORTED: usize = 1_000;

/// Events on the page.
const EVENTS: usize = 10;

/// How long a user counts as new.
const NEW: TimeDelta = TimeDelta::hours(24);

/// A user of the address, with the user's failing checks.
struct Row {
    found: IpRecordUser,
    failing: Failing,
}

/// The failing checks of a user.
enum Failing {
    /// The number of failing checks, and the worst severity.
    Known(u64, Option<Severity>),
    /// They were not read.
    Unread,
}

/// The data of the page, read in one transaction.
struct Found {
    seq: i64,
    known: KnownIp,
    rows: Vec<Row>,
    log: LogPage,
}

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    render_ip(&ops, &text, Fields::parse(&uri)?).await
}

/// `/ips?ip=`: the same page.
pub(super) async fn page_by_query(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?;
    let text = fields.take_subject("ips")?;
    render_ip(&ops, &text, fields).await
}

async fn render_ip(ops: &Ops, text: &str, mut fields: Fields) -> Result<Response, Failure> {
    let page = fields.take_number("page", 0, 1_000_000)?.unwrap_or(0);
    fields.finish()?;
    let page = usize::try_from(page).unwrap_or(0);
    let ip = filter::parse_ip(text)?;
    let key = ip.clone();
    let found = ops.sources.store.read(move |reader| read_ip(reader, &key, page)).await?;
    let Found { seq, known, rows, log } = found.ok_or_else(|| subject::unknown_ip(&ip))?;
    let now = clock::now();
    let watch = if known.reasons.is_empty() {
        subject::WHY_NO_IP_WATCH.to_owned()
    } else {
        subject::watched_by_text(&known.reasons)
    };
    let content = html! {
        div .title {
            h1 { (words::breakable(&ip)) }
            p #summary .lead data-live {
                (watch)
                @if let Some(record) = &known.record { "; observed " (words::ago(record.observed_at)) }
            }
        }
        section #figures .card aria-label="Figures" data-live { (figures(ops, &known, &rows, now)) }
        (polls::no_api_notice(ops, known.record.as_ref().map(|record| record.observed_at)))
        div #poll data-live { @if let Some(poll) = &known.poll { (polls::section(poll)) } }
        section #users .card aria-labelledby="users-title" data-live {
            div .head {
                h2 #users-title { "Who uses it" }
                @if !rows.is_empty() { p .soft { "those who fail a check first" } }
                span .more { a href={ "/api/v1" (link::page_url("ips", &ip)) } { "JSON" } }
            }
            @match &known.record {
                Some(record) => (table(&rows, record, page, now)),
                None => p .soft { "The service was not asked about the address yet." },
            }
            (page_links(&ip, page, rows.len()))
        }
        section #events .card aria-labelledby="events-title" data-live {
            div .head { h2 #events-title { "What happened" } }
            (events::event_list(&log, events::NONE_OF_IT))
            p .end { a href={ "/?ip=" (link::escape_segment(&ip)) "#events" } { "All events of the address" } }
        }
    };
    Ok(layout::render_page(ops, Position::Under(Section::Watched), &ip, seq, &content))
}

fn read_ip(reader: &Reader, ip: &str, page: usize) -> Result<Option<Found>, StoreError> {
    let Some(mut known) = subject::read_ip(reader, ip)? else { return Ok(None) };
    let users = known.record.as_mut().map(|record| std::mem::take(&mut record.users));
    let filter = EventFilter { ip: Some(ip.to_owned()), ..EventFilter::default() };
    Ok(Some(Found {
        seq: reader.last_seq()?,
        rows: read_rows(reader, users.unwrap_or_default(), page)?,
        log: events::read_log(reader, &filter, i64::MAX, EVENTS)?,
        known,
    }))
}

/// Returns all users. The failing checks are read for the first [`SORTED`] and for those of the
/// page.
fn read_rows(
    reader: &Reader,
    users: Vec<IpRecordUser>,
    page: usize,
) -> Result<Vec<Row>, StoreError> {
    let look = |found: &IpRecordUser| -> Result<Failing, StoreError> {
        let failing = reader.failing_checks(found.login.as_str())?;
        let count = failing.len() as u64;
        Ok(Failing::Known(count, Severity::worst(failing.into_iter().map(|check| check.severity))))
    };
    let mut rows = Vec::new();
    let first = page.saturating_mul(SHOWN);
    let shown = first..first.saturating_add(SHOWN);
    for (number, found) in users.into_iter().enumerate() {
        let failing = if number < SORTED || shown.contains(&number) {
            look(&found)?
        } else {
            Failing::Unread
        };
        rows.push(Row { found, failing });
    }
    let sorted = rows.len().min(SORTED);
    rows[..sorted].sort_by_key(|row| match &row.failing {
        Failing::Known(count, worst) => Reverse((worst.as_ref().map(Severity::rank), *count)),
        Failing::Unread => Reverse((None, 0)),
    });
    Ok(rows)
}

/// Whether the user appeared within a day, and after the first poll: all users of the first poll
/// have its moment.
fn is_new(found: &IpRecordUser, first_observed_at: Timestamp, now: Timestamp) -> bool {
    found.since > first_observed_at && now - found.since < NEW
}

fn figures(ops: &Ops, known: &KnownIp, rows: &[Row], now: Timestamp) -> Markup {
    let failing = rows.iter().filter_map(|row| match &row.failing {
        Failing::Known(1.., Some(worst)) => Some(worst),
        _ => None,
    });
    let grave = failing.clone().filter(|worst| worst.label() == "critical").count();
    let is_whole = rows.iter().all(|row| matches!(row.failing, Failing::Known(..)));
    html! {
        dl .facts {
            @if let Some(record) = &known.record {
                @let new = rows.iter().filter(|row| is_new(&row.found, record.first_observed_at, now)).count();
                (parts::fact("Users", &html! { (words::number(rows.len() as u64)) }))
                (parts::fact("New in 24 hours", &html! { (words::count(new as u64, "user", "users")) }))
                (parts::fact("Users who fail a check", &html! {
                    @if !is_whole { "at least " }
                    (words::number(failing.count() as u64))
                    @if grave > 0 { small { (grave) " critical" } }
                }))
            }
            (parts::fact("Watched by", &html! {
                @if known.reasons.is_empty() { "nobody" } @else { (reasons::reason_list(&known.reasons)) }
            }))
            (parts::fact("Last poll", &polls::last_poll(ops, known.poll.as_ref(), !known.reasons.is_empty(), ops.sources.polls.ips.as_ref())))
        }
    }
}

fn table(rows: &[Row], record: &IpRecord, page: usize, now: Timestamp) -> Markup {
    let shown = rows.iter().skip(page.saturating_mul(SHOWN)).take(SHOWN);
    html! {
        @if rows.is_empty() {
            p .soft { "Nobody." }
        } @else {
            table .stack {
                caption .unseen { "Users of the address" }
                thead {
                    tr {
                        th scope="col" .c-what { "User" }
                        th scope="col" { "Since" }
                        th scope="col" { "Worst failure" }
                        th scope="col" .minor { "More" }
                    }
                }
                tbody {
                    @for Row { found, failing } in shown {
                        tr {
                            th scope="row" { (words::user_link(&found.login, Some(&found.user.display_name))) }
                            td data-is="since" {
                                (words::ago(found.since))
                                @if is_new(found, record.first_observed_at, now) { " " (glyph::chip(Some(Glyph::New), "new", false)) }
                            }
                            td { (worst_failure(failing)) }
                            td .minor { (words::console_link(found.user.reference_url.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn worst_failure(failing: &Failing) -> Markup {
    html! {
        @match failing {
            Failing::Known(count, Some(worst)) => {
                (glyph::severity_label(worst)) " " span .soft { (words::count(*count, "check", "checks")) }
            },
            Failing::Known(_, None) => span .soft { "fails none" },
            Failing::Unread => {},
        }
    }
}

fn page_links(ip: &str, page: usize, users: usize) -> Markup {
    let address =
        |page: usize| link::page_url_with("ips", ip, &[("page", &page.to_string())]) + "#users";
    let left = users.saturating_sub(page.saturating_add(1).saturating_mul(SHOWN));
    html! {
        @if page > 0 || left > 0 {
            p .end {
                @if page > 0 { a href=(address(page - 1)) { "Previous users" } }
                @if left > 0 {
                    a href=(address(page + 1)) { (words::count(left as u64, "more user", "more users")) }
                }
            }
        }
    }
}
