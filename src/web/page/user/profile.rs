//! Who a user is, and what the user works with.

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

/// Applications, or factors, that are named.
const NAMED: usize = 200;

pub(super) fn sections(known: &KnownUser) -> Markup {
    let record = known.record.as_ref();
    html! {
        section .card aria-labelledby="profile-title" {
            div .head { h2 #profile-title { "Profile" } }
            dl .list {
                @if let Some(record) = record { (described(record)) }
                @else { dt { "Observed" } dd { "The service was not asked about the user yet." } }
                dt { "Watched by" } dd { (watched_by(known)) }
            }
        }
        @if let Some(record) = record {
            section .card aria-labelledby="use-title" {
                div .head { h2 #use-title { "Applications and factors" } }
                (tags("Not used in 30 days", record.state.unused_applications.as_ref()))
                (tags("Used in 30 days", record.state.used_applications.as_ref()))
                (tags("Factors", record.state.used_factors.as_ref()))
            }
        }
    }
}

fn described(record: &UserRecord) -> Markup {
    let state = &record.state;
    html! {
        @if let Some(kind) = &state.user_type { dt { "Type" } dd { (words::plain(kind)) } }
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
        dt { "Observed" } dd { (words::ago(record.observed_at)) ", first " (words::ago(record.first_observed_at)) }
        dt { "New addresses" } dd {
            (record.new_ips) " since the first poll"
            (last(record.last_new_ip_at))
        }
        @if let Some(at) = record.last_new_country_at {
            dt { "New country" } dd { (words::ago(at)) }
        }
    }
}

fn last(at: Option<Timestamp>) -> Markup {
    html! { @if let Some(at) = at { ", the last " (words::ago(at)) } }
}

fn watched_by(known: &KnownUser) -> Markup {
    html! {
        @if known.reasons.is_empty() {
            (subject::why_no_user_watch(!known.failing.is_empty()))
        } @else {
            (reasons::list(&known.reasons))
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
                ul .tags {
                    @for value in values.iter().take(NAMED) { li { span .chip { (value) } } }
                    @if values.len() > NAMED { li { "and " (values.len() - NAMED) " more" } }
                }
            }
        }
    }
}
