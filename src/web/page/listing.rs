//! The state of the tenant listing in words.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{layout::Section, words};
use crate::{
    clock,
    domain::Timestamp,
    web::listing::{Listing, State},
};

/// The sentence that says whether the page covers the whole tenant.
pub(super) fn listing_sentence(listing: &Listing) -> Markup {
    html! {
        @if listing.state == State::Complete {
            "The whole tenant was listed " (words::ago_or(listing.completed_at, "before"))
            (user_counts(listing)) "."
            @if listing.reason.is_some() {
                " The last try did not succeed; "
                a href=(Section::Health.url()) { "Health" } " says why."
            }
        } @else {
            "The tenant was not listed yet: " (pending_reason(listing)) ", so failures may be missing."
        }
    }
}

/// The reason for which no listing is complete.
pub(super) fn pending_reason(listing: &Listing) -> Markup {
    html! {
        @match listing.state {
            State::Running | State::Complete => {
                "a listing runs since " (words::ago_or(listing.since, "just now"))
                @if let Some(users) = listing.users { ", " (words::count(users, "user", "users")) " so far" }
            },
            State::Waiting => { "the first listing begins " (next_begin(listing.next_at)) },
            State::Failed => {
                "the last try failed"
                @if let (Some(_), Some(users)) = (listing.since, listing.users) {
                    " after " (words::count(users, "user", "users"))
                }
                ", the next one begins " (next_begin(listing.next_at))
                " at the latest, sooner when a service that was away answers again"
            },
            State::Untold => { "the last listing did not tell who fails what" },
            State::NoRight => { "off, the API client has no right to listEndUsers" },
            State::Off => { "switched off by " code { "sync.tenant.enabled" } },
            State::NoApi => { "there is no " code { "[api]" } " in the configuration" },
        }
    }
}

fn user_counts(listing: &Listing) -> Markup {
    html! {
        @if let Some(users) = listing.users.filter(|_| listing.since.is_none()) {
            " (" (words::count(users, "user", "users"))
            @if let Some(skipped) = listing.skipped.filter(|skipped| *skipped > 0) {
                ", " (words::count(skipped, "row", "rows")) " could not be read"
            }
            ")"
        }
    }
}

fn next_begin(at: Option<Timestamp>) -> String {
    let distance = at.map(|at| at - clock::now());
    match distance {
        Some(distance) if distance <= TimeDelta::seconds(1) => "now".to_owned(),
        Some(distance) => format!("in {}", words::duration(distance)),
        None => "never by its schedule".to_owned(),
    }
}
