//! `/watched`: watched users and addresses, with reasons, expiry and last poll.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure,
    glyph::{self, Glyph},
    layout::{self, Position, Section},
    reasons, words,
};
use crate::{
    clock,
    domain::{ListField, PollOutcome, Schedule, Severity, Timestamp, null_list::NullMeaning},
    store::{
        NullList, PollState, Reader, StoreError, WatchReason, WatchView, WatchedIp, WatchedUser,
    },
    web::{Ops, problem::Problem, query::Fields},
};

/// Users, and addresses, per page.
const SHOWN: usize = 50;

/// The filters besides `all`: each with its value in the query and its label.
const VIEWS: [(WatchView, &str, &str); 3] = [
    (WatchView::Problem, "problem", "With a problem"),
    (WatchView::Configured, "configuration", "By configuration"),
    (WatchView::Expiring, "expiring", "Expire"),
];

/// The requested view and pages.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    view: Option<WatchView>,
    users: usize,
    ips: usize,
}

/// The data of the page, read in one transaction.
struct Watched {
    seq: i64,
    user_count: u64,
    ip_count: u64,
    /// The number of users of each view, in the order of [`VIEWS`].
    view_counts: [u64; 3],
    ip_problems: u64,
    users: Vec<UserRow>,
    ips: Vec<(WatchedIp, Vec<WatchReason>)>,
}

struct UserRow {
    user: WatchedUser,
    reasons: Vec<WatchReason>,
    worst: Option<Severity>,
    /// Whether the user's failing checks are unknown: no answer contained them, and no delivery
    /// named the user.
    is_unknown: bool,
}

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?.without_empty();
    let view = fields.take("view").as_deref().map(parse_view).transpose()?;
    let mut page = |name| -> Result<usize, Problem> {
        let number = fields.take_number(name, 0, 1_000_000)?.unwrap_or(0);
        Ok(usize::try_from(number).unwrap_or(0))
    };
    let asked = Asked { view, users: page("page")?, ips: page("ips")? };
    fields.finish()?;
    let watched = ops.sources.store.read(move |reader| read_watched(reader, asked)).await?;
    let polls = &ops.sources.polls;
    let content = html! {
        div .title {
            h1 { "Watched" }
            p #summary .lead role="status" data-live { (summary(&watched)) }
        }
        section #users .card aria-labelledby="users-title" data-live {
            div .head {
                h2 #users-title { "Users" }
                p .soft { (next_poll(polls.users.as_ref())) }
                span .more {
                    a href="/watched.csv" { "CSV" }
                    a href="/api/v1/watch" { "JSON" }
                }
            }
            (view_links(&watched, asked.view))
            @if watched.users.is_empty() { (empty_list(watched.user_count, "user LOGIN")) } @else { (users_table(&watched.users)) }
            (user_page_links(&watched, asked))
        }
        section #ips .card aria-labelledby="ips-title" data-live {
            div .head {
                h2 #ips-title { "Addresses" }
                p .soft { (next_poll(polls.ips.as_ref())) }
                span .more { a href="/api/v1/watch" { "JSON" } }
            }
            @if watched.ips.is_empty() { (empty_list(watched.ip_count, "ip ADDRESS")) } @else { (ips_table(&watched.ips)) }
            (page_links("ips", asked.ips, watched.ip_count, "/watched?ips=", "#ips"))
        }
        section .card aria-labelledby="add-title" {
            div .head { h2 #add-title { "Watch another" } }
            p {
                "For a fortnight, with a note: "
                code .copy { "cii-exporter watch add user kim@example.com --expires 14d --note \"case 4711\"" }
            }
        }
    };
    Ok(layout::render_page(&ops, Position::At(Section::Watched), "Watched", watched.seq, &content))
}

fn parse_view(word: &str) -> Result<WatchView, Problem> {
    let view = VIEWS.iter().find(|(_, known, _)| *known == word).map(|(view, _, _)| *view);
    view.ok_or_else(|| {
        let words: Vec<_> = VIEWS.iter().map(|(_, word, _)| *word).collect();
        Problem::bad_request(format!("view={word}: there are {}", words.join(", ")))
    })
}

fn read_watched(reader: &Reader, asked: Asked) -> Result<Watched, StoreError> {
    let offset = asked.users.saturating_mul(SHOWN);
    let users = match asked.view {
        None => reader.watched_users_page(offset, SHOWN)?,
        Some(view) => reader.watched_users_of(view, offset, SHOWN)?,
    };
    let ips = reader.watched_ips_page(asked.ips.saturating_mul(SHOWN), SHOWN)?;
    let counts = reader.counts()?;
    let count = |view| reader.watch_view_count("user", view);
    Ok(Watched {
        seq: reader.last_seq()?,
        user_count: counts.watched_users(),
        ip_count: counts.ips,
        view_counts: [
            count(WatchView::Problem)?,
            count(WatchView::Configured)?,
            count(WatchView::Expiring)?,
        ],
        ip_problems: reader.watch_view_count("ip", WatchView::Problem)?,
        users: users.into_iter().map(|user| read_row(reader, user)).collect::<Result<_, _>>()?,
        ips: ips
            .into_iter()
            .map(|ip| {
                let reasons = reader.watch_reasons("ip", &ip.ip)?;
                Ok((ip, reasons))
            })
            .collect::<Result<_, StoreError>>()?,
    })
}

fn read_row(reader: &Reader, user: WatchedUser) -> Result<UserRow, StoreError> {
    let login = user.login.as_str();
    let is_untold = |list: &NullList| {
        list.field == ListField::FailingChecks && list.meaning != NullMeaning::Empty
    };
    let is_unknown = user.failing_checks == 0
        && (user.observed_at.is_none() || reader.null_lists(login)?.iter().any(is_untold));
    let failing = reader.failing_checks(login)?;
    Ok(UserRow {
        reasons: reader.watch_reasons("user", login)?,
        worst: Severity::worst(failing.into_iter().map(|check| check.severity)),
        is_unknown,
        user,
    })
}

fn summary(watched: &Watched) -> Markup {
    let [problems, ..] = watched.view_counts;
    let problems = problems.saturating_add(watched.ip_problems);
    html! {
        (words::count(watched.user_count, "user", "users")) " and "
        (words::count(watched.ip_count, "address", "addresses")) ". "
        @if problems > 0 { "Of " (words::number(problems)) " the last poll was not answered." }
        @else if watched.user_count + watched.ip_count > 0 { "No poll of them went wrong." }
    }
}

/// Links to the views, each with its count; empty views are left out.
fn view_links(watched: &Watched, current: Option<WatchView>) -> Markup {
    html! {
        @if watched.view_counts.iter().any(|count| *count > 0) || current.is_some() {
            ul .views aria-label="Which users" {
                li {
                    a href="/watched" aria-current=[current.is_none().then_some("true")] {
                        "All " (words::number(watched.user_count))
                    }
                }
                @for ((view, word, name), count) in VIEWS.iter().zip(watched.view_counts) {
                    @if count > 0 || current == Some(*view) {
                        li {
                            a href={ "/watched?view=" (word) } aria-current=[(current == Some(*view)).then_some("true")] {
                                (name) " " (words::number(count))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The text of an empty page; of an empty list, with the command that adds to it.
fn empty_list(count: u64, what: &str) -> Markup {
    html! {
        p .soft {
            @if count > 0 { "None on this page." }
            @else { "None. " code { "cii-exporter watch add " (what) } " adds one." }
        }
    }
}

fn users_table(users: &[UserRow]) -> Markup {
    html! {
        table .stack {
            caption .unseen { "Watched users" }
            thead {
                tr {
                    th scope="col" { "User" }
                    th scope="col" .minor { "Status" }
                    th scope="col" { "Worst failure" }
                    th scope="col" { "Watched by" }
                    th scope="col" { "Last poll" }
                }
            }
            tbody {
                @for row in users {
                    @let name = row.user.name_and_status.as_ref();
                    tr {
                        th scope="row" {
                            (words::user_link(&row.user.login, name.map(|(name, _)| name.as_str())))
                            @if is_not_found(&row.user) { small { "is the login right?" } }
                        }
                        td .minor { @if let Some((_, status)) = name { (words::readable_word(status)) } }
                        td data-is="fails" { (worst_failure(row)) }
                        td data-is="by" { (reasons::reason_list(&row.reasons)) }
                        td data-is="polled" { (last_poll(row.user.observed_at, row.user.poll.as_ref())) }
                    }
                }
            }
        }
    }
}

/// The worst failure of a user. While the failing checks are unknown, it says so instead of "none".
fn worst_failure(row: &UserRow) -> Markup {
    html! {
        @match &row.worst {
            Some(worst) => {
                span .nb {
                    (glyph::severity_label(worst)) " "
                    span .soft { (words::count(row.user.failing_checks, "check", "checks")) }
                }
            },
            None if !row.is_unknown => span .soft { "none" },
            None if is_not_found(&row.user) => "not found",
            None => "not told",
        }
    }
}

/// Whether the service returned not-found for the login.
fn is_not_found(user: &WatchedUser) -> bool {
    user.poll.as_ref().is_some_and(|poll| poll.outcome == PollOutcome::NotFound)
}

fn ips_table(ips: &[(WatchedIp, Vec<WatchReason>)]) -> Markup {
    html! {
        table .stack {
            caption .unseen { "Watched addresses" }
            thead {
                tr {
                    th scope="col" { "Address" }
                    th scope="col" .number { "Users" }
                    th scope="col" { "Watched by" }
                    th scope="col" { "Last poll" }
                }
            }
            tbody {
                @for (ip, reasons) in ips {
                    tr {
                        th scope="row" { (words::subject_link("ips", &ip.ip, &ip.ip)) }
                        td .number data-is="users" { @if let Some(users) = ip.users { (words::number(users)) } }
                        td data-is="by" { (reasons::reason_list(reasons)) }
                        td data-is="polled" { (last_poll(ip.observed_at, ip.poll.as_ref())) }
                    }
                }
            }
        }
    }
}

/// When the next poll begins.
fn next_poll(schedule: Option<&Schedule>) -> Markup {
    let next = schedule.and_then(|schedule| schedule.next_after(clock::now()));
    html! {
        @match next {
            Some(next) => { "next poll in " (words::time_until(next)) }
            None => "not polled: there is no [api] in the configuration",
        }
    }
}

/// When the last poll ended; unless it was answered, its outcome and the age of the figures.
fn last_poll(observed_at: Option<Timestamp>, poll: Option<&PollState>) -> Markup {
    let last = poll.map(|poll| poll.last_at).or(observed_at);
    let failed = poll.map(|poll| poll.outcome).filter(|how| *how != PollOutcome::Answered);
    html! {
        (words::ago_or(last, "not yet"))
        @if let Some(outcome) = failed {
            " " (glyph::chip(Some(Glyph::Warn), &outcome.as_str().replace('_', " "), false))
            @if let Some(reason) = poll.and_then(|poll| poll.reason.as_ref()) { small { (reason) } }
            @if let Some(observed_at) = observed_at { small { "figures of " (words::ago(observed_at)) } }
        }
    }
}

fn user_page_links(watched: &Watched, asked: Asked) -> Markup {
    let of_view =
        VIEWS.iter().zip(watched.view_counts).find(|((view, ..), _)| asked.view == Some(*view));
    match of_view {
        Some(((_, word, _), count)) => page_links(
            "users",
            asked.users,
            count,
            &format!("/watched?view={word}&page="),
            "#users",
        ),
        None => page_links("users", asked.users, watched.user_count, "/watched?page=", "#users"),
    }
}

/// Links to the previous and the next page.
fn page_links(what: &str, page: usize, count: u64, address: &str, place: &str) -> Markup {
    let behind = (page as u64 + 1).saturating_mul(SHOWN as u64);
    let left = count.saturating_sub(behind);
    let what = if what == "ips" {
        ("more address", "more addresses")
    } else {
        ("more user", "more users")
    };
    html! {
        @if page > 0 || left > 0 {
            p .end {
                @if page > 0 { a href={ (address) (page - 1) (place) } { "Previous" } }
                @if left > 0 { a href={ (address) (page + 1) (place) } { (words::count(left, what.0, what.1)) } }
            }
        }
    }
}
