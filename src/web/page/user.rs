//! `/users/{login}`: all that is known of a user.

use std::{collections::BTreeSet, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use maud::{Markup, html};

use super::{
    Failure, events,
    layout::{self, Position, Section},
    polls, words,
};
use crate::{
    domain::{Login, Place, UserState},
    store::{EventFilter, FailingCheck, UserRecord},
    web::{
        Ops, link,
        problem::Problem,
        query::{Fields, Segment},
        subject,
    },
};

/// Events of a page.
const SHOWN: usize = 10;

pub(super) async fn page(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::of(&uri)?.finish()?;
    let login = Login::new(&text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let filter = EventFilter { login: Some(login.as_str().to_owned()), ..EventFilter::default() };
    let key = login.clone();
    let (seq, known, log) = ops
        .sources
        .store
        .read(move |reader| {
            let log = events::read(reader, &filter, i64::MAX, SHOWN)?;
            Ok((reader.last_seq()?, subject::user(reader, &key)?, log))
        })
        .await?;
    let known = known.ok_or_else(|| subject::unknown_user(&login))?;
    let login = &known.login;
    let why_not = subject::why_no_user_watch(!known.failing.is_empty());
    let watch = if known.reasons.is_empty() {
        why_not.to_owned()
    } else {
        subject::watched_by(&known.reasons)
    };
    let name = known.record.as_ref().map(|record| record.state.display_name.as_str());
    let content = html! {
        div .title {
            h1 { (name.filter(|name| !name.is_empty()).unwrap_or(login.spelling())) }
            p .lead { (words::breakable(login.spelling())) " · " (watch) }
        }
        section #failing .card aria-labelledby="failing-title" data-live {
            div .head { h2 #failing-title { "Failing checks" } }
            (failing(&known.failing))
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
        (polls::off(&ops, known.record.as_ref().map(|record| record.observed_at)))
        div #poll data-live { @if let Some(poll) = &known.poll { (polls::section(poll)) } }
        div #snapshot data-live {
            @match &known.record {
                Some(record) => (snapshot(login, record)),
                None => section .card { p .soft { "The service was not asked about the user yet." } },
            }
        }
        section #events .card aria-labelledby="events-title" data-live {
            div .head { h2 #events-title { "Latest events" } }
            (events::list(&log))
            p .end { a href={ "/?login=" (link::segment(login.as_str())) "#events" } { "All events of the user" } }
        }
    };
    Ok(layout::page(&ops, Position::Under(Section::Overview), login.spelling(), seq, &content))
}

fn failing(checks: &[FailingCheck]) -> Markup {
    html! {
        @if checks.is_empty() {
            p .soft { "The user is not known to fail a check." }
        } @else {
            div .table {
                table .stack {
                    thead {
                        tr {
                            th scope="col" { "Severity" }
                            th scope="col" { "Check" }
                            th scope="col" { "Began" }
                            th scope="col" .minor { "Last reported" }
                        }
                    }
                    tbody {
                        @for check in checks {
                            tr {
                                td { (words::severity(&check.severity)) }
                                th scope="row" { (words::subject("checks", &check.check_id, &check.title)) }
                                td data-is="began" { (words::began(check.since, check.is_dated)) }
                                td .minor { (words::ago(check.reported_at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn snapshot(login: &Login, record: &UserRecord) -> Markup {
    let state = &record.state;
    html! {
        div .pair {
            section .card aria-labelledby="profile-title" {
                div .head { h2 #profile-title { "Profile" } }
                dl .list {
                    dt { "Status" } dd { @if state.status.is_empty() { "not told" } @else { (state.status) } }
                    @if let Some(kind) = &state.user_type { dt { "Type" } dd { (kind) } }
                    @if let Some(manager) = &state.manager_login {
                        dt { "Manager" } dd { (words::subject("users", manager, manager)) }
                    }
                    @for number in state.employee_ids.iter().flatten() {
                        dt { "Employee" } dd { (number) }
                    }
                    @if let Some(phone) = &state.phone_number { dt { "Phone" } dd { (phone) } }
                    (places("Registered in", state.registered_location.as_ref(), Place::to_string))
                    (places("Works from", state.working_locations.as_ref(), |place| {
                        let share = state.prevalence_of(place).map(per_cent);
                        share.map_or_else(|| place.to_string(), |share| format!("{place} ({share})"))
                    }))
                    dt { "Observed" } dd { (words::ago(record.observed_at)) }
                    dt { "New addresses" } dd {
                        (record.new_ips) " since the first poll"
                        @if let Some(at) = record.last_new_ip_at { ", the last " (words::ago(at)) }
                    }
                    @if let Some(at) = record.last_new_country_at {
                        dt { "New country" } dd { (words::ago(at)) }
                    }
                    dt { "More" } dd {
                        (words::console(state.reference_url.as_ref()))
                        a href={ "/api/v1" (link::to("users", login.as_str())) } { "JSON" }
                    }
                }
            }
            section .card aria-labelledby="use-title" {
                div .head { h2 #use-title { "Applications and factors" } }
                (tags("Not used in 30 days", state.unused_applications.as_ref()))
                (tags("Used in 30 days", state.used_applications.as_ref()))
                (tags("Factors", state.used_factors.as_ref()))
            }
        }
        (addresses(state))
    }
}

fn addresses(state: &UserState) -> Markup {
    html! {
        @if let Some(addresses) = &state.ip_addresses {
            section .card aria-labelledby="ips-title" {
                div .head { h2 #ips-title { "IP addresses" } }
                div .table {
                    table .stack {
                        thead { tr { th scope="col" { "Address" } th scope="col" { "Place" } } }
                        tbody {
                            @for (ip, place) in addresses {
                                tr {
                                    th scope="row" { (words::subject("ips", ip, ip)) }
                                    td { (place) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Hundredths of a per cent as people read them.
fn per_cent(hundredths: u32) -> String {
    format!("{} %", (f64::from(hundredths) / 100.0 * 10.0).round() / 10.0)
}

fn places(name: &str, places: Option<&BTreeSet<Place>>, text: impl Fn(&Place) -> String) -> Markup {
    let texts: Vec<_> = places.into_iter().flatten().map(text).collect();
    html! { @if !texts.is_empty() { dt { (name) } dd { (texts.join("; ")) } } }
}

fn tags(name: &str, values: Option<&BTreeSet<String>>) -> Markup {
    html! {
        @if let Some(values) = values {
            h3 { (name) }
            @if values.is_empty() {
                p .soft { "None." }
            } @else {
                ul .tags { @for value in values { li .chip { (value) } } }
            }
        }
    }
}
