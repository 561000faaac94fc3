//! The profile of a user, with applications and factors.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::{
    domain::{Place, Timestamp},
    store::UserRecord,
    web::{
        page::{reasons, words},
        subject::{self, KnownUser},
    },
};

/// Most applications, or factors, that are shown.
const NAMED: usize = 200;

pub(super) fn sections(known: &KnownUser) -> Markup {
    let record = known.record.as_ref();
    html! {
        section .card aria-labelledby="profile-title" {
            div .head { h2 #profile-title { "Profile" } }
            dl .list {
                @if let Some(record) = record { (profile_rows(record)) }
                @else { dt { "Observed" } dd { "The service was not asked about the user yet." } }
                dt { "Watched by" } dd { (watched_by_text(known)) }
            }
        }
        @if let Some(record) = record {
            section .card aria-labelledby="use-title" {
                div .head { h2 #use-title { "Applications and factors" } }
                (tag_list("Not used in 30 days", record.state.unused_applications.as_ref()))
                (tag_list("Used in 30 days", record.state.used_applications.as_ref()))
                (tag_list("Factors", record.state.used_factors.as_ref()))
            }
        }
    }
}

fn profile_rows(record: &UserRecord) -> Markup {
    let state = &record.state;
    html! {
        @if let Some(kind) = &state.user_type { dt { "Type" } dd { (words::readable_word(kind)) } }
        @if let Some(manager) = &state.manager_login {
            dt { "Manager" } dd { (words::subject_link("users", manager, manager)) }
        }
        @for number in state.employee_ids.iter().flatten() {
            dt { "Employee" } dd { (number) }
        }
        @if let Some(phone) = &state.phone_number { dt { "Phone" } dd { (phone) } }
        (place_rows("Registered in", state.registered_location.as_ref(), Place::to_string))
        (place_rows("Works from", state.working_locations.as_ref(), |place| {
            let share = state.prevalence_of(place).map(format_per_cent);
            share.map_or_else(|| place.to_string(), |share| format!("{place} ({share})"))
        }))
        dt { "Observed" } dd { (words::ago(record.observed_at)) ", first " (words::ago(record.first_observed_at)) }
        dt { "New addresses" } dd {
            (record.new_ips) " since the first poll"
            (last_time(record.last_new_ip_at))
        }
        @if let Some(at) = record.last_new_country_at {
            dt { "New country" } dd { (words::ago(at)) }
        }
    }
}

fn last_time(at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { ", the last " (words::ago(at)) } }
}

fn watched_by_text(known: &KnownUser) -> Markup {
    html! {
        @if known.reasons.is_empty() {
            (subject::why_no_user_watch(!known.failing.is_empty()))
        } @else {
            (reasons::reason_list(&known.reasons))
        }
    }
}

/// Formats hundredths of a per cent with one decimal place.
fn format_per_cent(hundredths: u32) -> String {
    format!("{} %", (f64::from(hundredths) / 100.0 * 10.0).round() / 10.0)
}

fn place_rows(
    name: &str,
    places: Option<&BTreeSet<Place>>,
    text: impl Fn(&Place) -> String,
) -> Markup {
    let texts: Vec<_> = places.into_iter().flatten().map(text).collect();
    html! { @if !texts.is_empty() { dt { (name) } dd { (texts.join("; ")) } } }
}

fn tag_list(name: &str, values: Option<&BTreeSet<String>>) -> Markup {
    html! {
        @if let Some(values) = values {
            h3 { (name) }
            @if values.is_empty() {
                p .soft { "None." }
            } @else {
                ul .tags {
                    @for value in values.iter().take(NAMED) { li { span .chip { (value) } } }
                    @if values.len() > NAMED { li { "and " (values.len() - NAMED) " more" } }
                }
            }
        }
    }
}
