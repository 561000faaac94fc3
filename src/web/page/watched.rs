//! Watched users and addresses, and when they were last asked about.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{glyph, words};
use crate::{
    clock,
    domain::{ListField, Login, PollOutcome, Schedule, Timestamp, null_list::NullMeaning},
    store::{NullList, PollState, Reader, StoreError, WatchedIp, WatchedUser},
    web::Polls,
};

/// Users, and addresses, of a page.
const SHOWN: usize = 10;

/// What a page shows of the watch list.
pub(super) struct Watched {
    pub(super) user_count: u64,
    pub(super) ip_count: u64,
    page: usize,
    users: Vec<WatchedUser>,
    /// Users of the page of whom no answer told the failing checks, and nothing else did.
    unknown: BTreeSet<Login>,
    ips: Vec<WatchedIp>,
}

/// A page of the watch list; the first is 0.
pub(super) fn read(reader: &Reader, page: usize) -> Result<Watched, StoreError> {
    let offset = page.saturating_mul(SHOWN);
    let users = reader.watched_users_page(offset, SHOWN)?;
    let mut unknown = BTreeSet::new();
    for user in users.iter().filter(|user| user.failing_checks == 0) {
        let is_untold = |list: &NullList| {
            list.field == ListField::FailingChecks && list.meaning != NullMeaning::Empty
        };
        if user.observed_at.is_none()
            || reader.null_lists(user.login.as_str())?.iter().any(is_untold)
        {
            unknown.insert(user.login.clone());
        }
    }
    Ok(Watched {
        user_count: reader.watched_count("user")?.saturating_add(reader.followed_count()?),
        ip_count: reader.watched_count("ip")?,
        page,
        users,
        unknown,
        ips: reader.watched_ips_page(offset, SHOWN)?,
    })
}

/// The section of the page.
pub(super) fn section(watched: &Watched, polls: &Polls) -> Markup {
    html! {
        div #watched .pair data-live {
            section .card aria-labelledby="users-title" {
                div .head { h2 #users-title { "Watched users" } }
                (next(polls.users.as_ref()))
                @if watched.users.is_empty() { (none(watched.user_count, "user LOGIN")) } @else { (users(&watched.users, &watched.unknown)) }
                (pages(watched.page, watched.user_count))
            }
            section .card aria-labelledby="ips-title" {
                div .head { h2 #ips-title { "Watched IP addresses" } }
                (next(polls.ips.as_ref()))
                @if watched.ips.is_empty() { (none(watched.ip_count, "ip ADDRESS")) } @else { (ips(&watched.ips)) }
                (pages(watched.page, watched.ip_count))
            }
        }
    }
}

/// An empty page of the list, with the command that adds to an empty list.
fn none(count: u64, what: &str) -> Markup {
    html! {
        p .soft {
            @if count > 0 { "None on this page." }
            @else { "None. " code { "cii-exporter watch add " (what) } " adds one." }
        }
    }
}

fn users(users: &[WatchedUser], unknown: &BTreeSet<Login>) -> Markup {
    html! {
        div .table {
            table .stack {
                thead {
                    tr {
                        th scope="col" { "User" }
                        th scope="col" .minor { "Status" }
                        th scope="col" .number { "Failing" }
                        th scope="col" { "Last poll" }
                    }
                }
                tbody {
                    @for user in users {
                        tr {
                            th scope="row" {
                                (words::subject("users", user.login.as_str(), user.login.spelling()))
                                @if let Some((name, _)) = &user.name_and_status { small { (name) } }
                                @if user.is_followed { small { "followed" } }
                            }
                            td .minor { @if let Some((_, status)) = &user.name_and_status { (status) } }
                            // Without an answer nothing is known, and 0 would say more than that.
                            td .number {
                                @if !unknown.contains(&user.login) { (user.failing_checks) }
                                @else if is_not_found(user) { "not found" }
                                @else { "not told" }
                            }
                            td { (polled(user.observed_at, user.poll.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether the service does not know the login.
fn is_not_found(user: &WatchedUser) -> bool {
    user.poll.as_ref().is_some_and(|poll| poll.outcome == PollOutcome::NotFound)
}

fn ips(ips: &[WatchedIp]) -> Markup {
    html! {
        div .table {
            table .stack {
                thead {
                    tr {
                        th scope="col" { "Address" }
                        th scope="col" .number { "Users" }
                        th scope="col" { "Last poll" }
                    }
                }
                tbody {
                    @for ip in ips {
                        tr {
                            th scope="row" { (words::subject("ips", &ip.ip, &ip.ip)) }
                            td .number { @if let Some(users) = ip.users { (users) } }
                            td { (polled(ip.observed_at, ip.poll.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

/// When the next run of questions begins.
fn next(schedule: Option<&Schedule>) -> Markup {
    let now = clock::now();
    let next = schedule.and_then(|schedule| schedule.next_after(now));
    html! {
        p .soft {
            @match (schedule, next) {
                (Some(_), Some(next)) => { "Next poll in " (words::duration(next - now)) }
                _ => "Not polled: there is no [api] in the configuration"
            }
        }
    }
}

/// When the last question ended, and unless it was answered how, and how old the numbers are.
fn polled(observed_at: Option<Timestamp>, poll: Option<&PollState>) -> Markup {
    let last = poll.map(|poll| poll.last_at).or(observed_at);
    let failed = poll.map(|poll| poll.outcome).filter(|how| *how != PollOutcome::Answered);
    html! {
        (words::ago_or(last, "not yet"))
        @if let Some(outcome) = failed {
            small {
                (glyph::chip(None, &outcome.as_str().replace('_', " "), true))
                @if let Some(reason) = poll.and_then(|poll| poll.reason.as_ref()) { " " (reason) }
                @if let Some(observed_at) = observed_at { "; numbers of " (words::ago(observed_at)) }
            }
        }
    }
}

fn pages(page: usize, count: u64) -> Markup {
    let has_more = count > (page as u64 + 1).saturating_mul(SHOWN as u64);
    html! {
        @if page > 0 || has_more {
            p .end {
                @if page > 0 { a href={ "/?watched=" (page - 1) "#watched" } { "Previous" } }
                @if has_more { a href={ "/?watched=" (page + 1) "#watched" } { "Next" } }
            }
        }
    }
}
