//! The last events, filtered by a form.

use maud::{Markup, html};

use super::{sentence::sentence, words};
use crate::{
    domain::{Event, Severity},
    store::{EventFilter, EventPage, Reader, StoreError},
    web::filter,
};

/// Events of a page.
pub(super) const SHOWN: usize = 15;

/// Looks into the log for one page. Beyond them a filter that lets little pass
/// leads on by a link, so that no page takes long.
const LOOKS: usize = 4;

/// Severities that the form offers; the service may have others.
const SEVERITIES: [&str; 6] = Severity::LABELS;

/// The newest events before `cursor`.
pub(super) fn read(
    reader: &Reader,
    filter: &EventFilter,
    cursor: i64,
    limit: usize,
) -> Result<EventPage, StoreError> {
    let mut page = reader.events_before(filter, cursor, limit)?;
    for _ in 1..LOOKS {
        if page.events.len() >= limit || !page.has_more {
            break;
        }
        let more = reader.events_before(filter, page.cursor, limit - page.events.len())?;
        page.events.extend(more.events);
        (page.cursor, page.has_more) = (more.cursor, more.has_more);
    }
    Ok(page)
}

/// The section of the page.
pub(super) fn section(page: &EventPage, filter: &EventFilter) -> Markup {
    html! {
        section #events .card aria-labelledby="events-title" {
            div .head { h2 #events-title { "Latest events" } }
            (form(filter))
            div #event-list data-live {
                (list(page))
                @if page.has_more {
                    p .end { a href=(older(filter, page.cursor)) { "Older events" } }
                }
            }
        }
    }
}

/// Events without a form.
pub(super) fn list(page: &EventPage) -> Markup {
    html! {
        @if page.events.is_empty() {
            p .soft { "No event." }
        } @else {
            div .table {
                table .stack {
                    thead {
                        tr {
                            th scope="col" { "When" }
                            th scope="col" { "What happened" }
                            th scope="col" .minor { "Event" }
                            th scope="col" { "Severity" }
                        }
                    }
                    tbody {
                        @for stored in &page.events {
                            (row(&stored.event))
                        }
                    }
                }
            }
        }
    }
}

fn row(event: &Event) -> Markup {
    html! {
        tr {
            td { (words::ago(event.observed_at)) }
            td { (sentence(event)) }
            td .minor { code { (event.name.as_str()) } }
            td { @if event.check_id.is_some() || event.severity.text().is_some() { (words::severity(&event.severity)) } }
        }
    }
}

fn form(filter: &EventFilter) -> Markup {
    let name = filter.name.map_or("", |name| name.as_str());
    let severity = filter.severity.as_deref().unwrap_or_default();
    html! {
        form method="get" action="/#events" role="search" aria-label="Filter the events" {
            div {
                label for="name" { "Event" }
                select #name name="name" {
                    option value="" { "Every event" }
                    @for known in filter::public_names() {
                        option value=(known.as_str()) selected[known.as_str() == name] { (known.as_str()) }
                    }
                }
            }
            div {
                label for="check_id" { "Check (id)" }
                input #check_id name="check_id" value=(filter.check_id.as_deref().unwrap_or_default())
                    autocomplete="off" spellcheck="false";
            }
            div {
                label for="login" { "User (login)" }
                input #login name="login" value=(filter.login.as_deref().unwrap_or_default())
                    autocomplete="off" spellcheck="false";
            }
            div {
                label for="severity" { "Severity" }
                select #severity name="severity" {
                    option value="" { "Every severity" }
                    @for known in SEVERITIES {
                        option value=(known) selected[known == severity] { (known) }
                    }
                }
            }
            div .act {
                button type="submit" { "Filter" }
                @if *filter != EventFilter::default() { a href="/#events" { "Clear" } }
            }
        }
    }
}

/// The address of the events before these.
fn older(filter: &EventFilter, cursor: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let fields = [
        ("name", filter.name.map(|name| name.as_str().to_owned())),
        ("check_id", filter.check_id.clone()),
        ("login", filter.login.clone()),
        ("ip", filter.ip.clone()),
        ("severity", filter.severity.clone()),
        ("since", filter.since.map(|moment| moment.to_rfc3339())),
        ("until", filter.until.map(|moment| moment.to_rfc3339())),
        ("before", Some(cursor.to_string())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    format!("/?{}#events", query.finish())
}
