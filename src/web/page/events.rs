//! The event log on a page, with a form to filter it.

use std::collections::BTreeSet;

use chrono::{Datelike as _, DurationRound as _, NaiveDate, TimeDelta};
use maud::{Markup, html};

use super::{
    causes::Causes,
    glyph::{self, Glyph},
    overview::Row,
    sentence::linked_sentence,
    words,
};
use crate::{
    clock,
    domain::{AttributeValue, Event, EventName, Login, Severity, event::key},
    store::{EventFilter, LogEntry, LogPage, Reader, StoreError},
    web::filter,
};

/// Events per page.
pub(super) const SHOWN: usize = 15;

/// Most reads of the log for one page. When a filter matches few events, the page is short and
/// links to the next one, instead of being slow.
const LOOKS: usize = 4;

/// Most checks, and most logins, that the form suggests.
const OFFERED: usize = 200;

/// Shown when no event matches the filter.
const NONE_FITS: &str = "No event fits the filter. Take a part of it away, or begin earlier.";

/// Shown when the log is empty.
const NONE_YET: &str = "Nothing happened yet. Here stands who newly fails a check and who no longer \
     does, as deliveries and answers of the API tell it.";

/// Shown when no event is about the user or the address.
pub(super) const NONE_OF_IT: &str =
    "The log has no event about it: nothing changed since it is known.";

/// The severities that the form offers; the service may use others.
const SEVERITIES: [&str; 6] = Severity::LABELS;

/// Reads the newest entries before `cursor`.
pub(super) fn read_log(
    reader: &Reader,
    filter: &EventFilter,
    cursor: i64,
    limit: usize,
) -> Result<LogPage, StoreError> {
    let mut page = reader.log_before(filter, cursor, limit)?;
    for _ in 1..LOOKS {
        if page.entries.len() >= limit || !page.has_more {
            break;
        }
        let more = reader.log_before(filter, page.cursor, limit - page.entries.len())?;
        page.entries.extend(more.entries);
        (page.cursor, page.has_more) = (more.cursor, more.has_more);
    }
    Ok(page)
}

/// Renders the section. `checks` are the suggestions of the form.
pub(super) fn section(page: &LogPage, filter: &EventFilter, checks: &[Row]) -> Markup {
    let is_filtered = *filter != EventFilter::default();
    html! {
        section #events .card aria-labelledby="events-title" {
            div .head {
                h2 #events-title { "What happened" }
                span .more {
                    a href={ "/events.csv" (filter_query(filter, None)) } { "CSV" }
                    a href={ "/api/v1/events" (filter_query(filter, None)) } { "JSON" }
                }
            }
            details open[is_filtered] {
                summary { "Filter the events" }
                (filter_form(page, filter, checks))
            }
            div #event-list data-live {
                (event_list(page, if is_filtered { NONE_FITS } else { NONE_YET }))
                @if page.has_more {
                    p .end { a href={ "/" (filter_query(filter, Some(page.cursor))) "#events" } { "Older events" } }
                }
            }
        }
    }
}

/// Renders the entries by day without the form, or the text `none` when there are none.
pub(super) fn event_list(page: &LogPage, none: &str) -> Markup {
    let today = clock::now().date_naive();
    let mut causes = Causes::default();
    let day_of = |entry: &LogEntry| entry.event.event.observed_at.date_naive();
    html! {
        @if page.entries.is_empty() {
            p .soft { (none) }
        } @else {
            div .events {
                @for day in page.entries.chunk_by(|a, b| day_of(a) == day_of(b)) {
                    section {
                        @if let Some(first) = day.first() { h3 { (day_heading(day_of(first), today)) } }
                        ol { @for entry in day { (event_item(entry, &mut causes)) } }
                    }
                }
            }
        }
    }
}

/// The heading of a day: today, yesterday, or the date.
fn day_heading(day: NaiveDate, today: NaiveDate) -> String {
    let date = if day.year() == today.year() { "%-d %B" } else { "%-d %B %Y" };
    let date = day.format(date);
    match (today - day).num_days() {
        0 => "Today".to_owned(),
        1 => format!("Yesterday, {date}"),
        _ => date.to_string(),
    }
}

fn event_item(entry: &LogEntry, causes: &mut Causes) -> Markup {
    let event = &entry.event.event;
    html! {
        li .event {
            (words::ago(event.observed_at))
            (event_glyph(event))
            div {
                p { (linked_sentence(event, &causes.event_sentence(event))) (failed_for(event)) }
                (newly_failing_list(entry))
            }
            code .minor { (event.name.as_str()) }
        }
    }
}

/// The glyph of an event: `resolved`, else the severity.
fn event_glyph(event: &Event) -> Markup {
    if event.name == EventName::CheckResolved {
        return glyph::named_glyph(Glyph::Ended, "", "resolved");
    }
    if event.check_id.is_some() || event.severity.text().is_some() {
        return glyph::severity_glyph(&event.severity);
    }
    glyph::named_glyph(Glyph::Info, "", "info")
}

/// How long the failure lasted that the event ends.
fn failed_for(event: &Event) -> Markup {
    let AttributeValue::Integer(seconds) =
        event.attributes.get(key::CHECK_FAILED_FOR).unwrap_or(&AttributeValue::Flag(false))
    else {
        return html! {};
    };
    html! { ", after " (words::duration(TimeDelta::seconds(*seconds))) }
}

/// The users who newly fail by a delivery, folded.
fn newly_failing_list(entry: &LogEntry) -> Markup {
    if entry.newly_failing.is_empty() {
        return html! {};
    }
    let named = entry.newly_failing.len() as u64;
    let count = match entry.event.event.attributes.get(key::DELIVERY_NEW_USERS) {
        Some(AttributeValue::Integer(count)) => u64::try_from(*count).unwrap_or(0).max(named),
        _ => named,
    };
    let more = count - named;
    html! {
        details {
            summary { "The " (words::count(count, "user", "users")) }
            ul {
                @for login in &entry.newly_failing {
                    li { (words::subject_link("users", login.as_str(), login.spelling())) }
                }
            }
            @if more > 0 {
                p { a href=(newly_failing_url(entry, count)) { "And " (words::number(more)) " more" } }
            }
        }
    }
}

/// The URL of the `CheckFailed` events of a delivery. They follow the delivery's event in the log
/// without gaps.
fn newly_failing_url(entry: &LogEntry, count: u64) -> String {
    let behind = i64::try_from(count).unwrap_or(0).saturating_add(entry.event.seq + 1);
    let check_id = entry.event.event.check_id.as_ref().map(|id| id.as_str().to_owned());
    let failed =
        EventFilter { name: Some(EventName::CheckFailed), check_id, ..EventFilter::default() };
    format!("/{}#events", filter_query(&failed, Some(behind)))
}

fn filter_form(page: &LogPage, filter: &EventFilter, checks: &[Row]) -> Markup {
    let name = filter.name.map_or("", |name| name.as_str());
    let severity = filter.severity.as_deref().unwrap_or_default();
    // Rounded to the hour, so that the form does not change when the script refreshes the page.
    let now = clock::now();
    let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    html! {
        form .filter method="get" action="/#events" role="search" aria-label="Filter the events" {
            div {
                label for="name" { "Event" }
                select #name name="name" {
                    option value="" { "Every event" }
                    @for known in filter::public_event_names() {
                        option value=(known.as_str()) selected[known.as_str() == name] { (known.as_str()) }
                    }
                }
            }
            div {
                label for="check_id" { "Check (id)" }
                input #check_id name="check_id" value=(filter.check_id.as_deref().unwrap_or_default())
                    list="known-checks" autocomplete="off" spellcheck="false";
                datalist #known-checks {
                    @for check in checks.iter().take(OFFERED) {
                        option value=(check.id) { (check.state.title) }
                    }
                }
            }
            div {
                label for="login" { "User (login)" }
                input #login name="login" value=(filter.login.as_deref().unwrap_or_default())
                    list="known-logins" autocomplete="off" spellcheck="false";
                datalist #known-logins {
                    @for login in page_logins(page) { option value=(login) {} }
                }
            }
            div {
                label for="since" { "Since" }
                select #since name="since" {
                    option value="" { "As far as the log goes" }
                    @if let Some(since) = filter.since {
                        option value=(since.to_rfc3339()) selected { (since.format("%Y-%m-%d %H:%M UTC")) }
                    }
                    @for (days, name) in [(1, "24 hours ago"), (7, "7 days ago"), (30, "30 days ago")] {
                        option value=((hour - TimeDelta::days(days)).to_rfc3339()) { (name) }
                    }
                }
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
            div {
                button type="submit" { "Filter" }
                @if *filter != EventFilter::default() { a href="/#events" { "Clear" } }
            }
        }
    }
}

/// The logins of the page's entries, as suggestions of the form.
fn page_logins(page: &LogPage) -> BTreeSet<&str> {
    let entries = page.entries.iter();
    let users =
        entries.flat_map(|entry| entry.event.event.login.iter().chain(&entry.newly_failing));
    users.map(Login::spelling).take(OFFERED).collect()
}

/// The query string of a filter and a position in the log; empty when neither is set.
fn filter_query(filter: &EventFilter, before: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let fields = [
        ("name", filter.name.map(|name| name.as_str().to_owned())),
        ("check_id", filter.check_id.clone()),
        ("login", filter.login.clone()),
        ("ip", filter.ip.clone()),
        ("severity", filter.severity.clone()),
        ("since", filter.since.map(|moment| moment.to_rfc3339())),
        ("until", filter.until.map(|moment| moment.to_rfc3339())),
        ("before", before.map(|before| before.to_string())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_called_as_people_call_it() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-01-02");
        let headings =
            ["2026-01-02", "2026-01-01", "2025-12-31"].map(|of| day_heading(day(of), today));
        assert_eq!(headings, ["Today", "Yesterday, 1 January", "31 December 2025"]);
    }

    #[test]
    fn a_link_keeps_the_filter() {
        let filter = EventFilter { login: Some("a b@x".to_owned()), ..EventFilter::default() };
        assert_eq!(filter_query(&filter, Some(7)), "?login=a+b%40x&before=7");
        assert_eq!(filter_query(&EventFilter::default(), None), "");
    }
}
