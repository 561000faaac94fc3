//! The result of the last poll of a user or an address.

use maud::{Markup, html};

use super::{
    glyph::{self, Glyph},
    words,
};
use crate::{
    clock,
    domain::{PollOutcome, Schedule, Timestamp},
    store::PollState,
    web::Ops,
};

/// A notice that the data is no longer updated because there is no `[api]`; empty otherwise.
pub(super) fn no_api_notice(ops: &Ops, observed_at: Option<Timestamp>) -> Markup {
    html! {
        @if let Some(at) = observed_at.filter(|_| !ops.sources.parts.api) {
            p .soft {
                "The service is not asked, since there is no [api]. What it told is from " (words::ago(at)) "."
            }
        }
    }
}

/// When the last poll ended, its outcome unless it was answered, and when the next one begins.
pub(super) fn last_poll(
    ops: &Ops,
    poll: Option<&PollState>,
    is_watched: bool,
    schedule: Option<&Schedule>,
) -> Markup {
    let now = clock::now();
    let next = schedule.filter(|_| is_watched).and_then(|schedule| schedule.next_after(now));
    html! {
        @match poll {
            Some(poll) => {
                (words::ago(poll.last_at))
                @if poll.outcome != PollOutcome::Answered {
                    " " (glyph::chip(Some(Glyph::Warn), &poll.outcome.as_str().replace('_', " "), false))
                }
            },
            None => "none yet",
        }
        small {
            @if !ops.sources.parts.api { "off: there is no [api]" }
            @else if let Some(next) = next { "next in " (words::time_until(next)) }
            @else if !is_watched { "not watched" }
        }
    }
}

/// Renders the section on the last poll; empty when its answer was complete.
pub(super) fn section(poll: &PollState) -> Markup {
    let is_answered = poll.outcome == PollOutcome::Answered;
    if is_answered && poll.reason.is_none() {
        return html! {};
    }
    html! {
        section .card aria-labelledby="poll-title" {
            div .head { h2 #poll-title { "Last poll" } }
            dl .list {
                dt { "Outcome" } dd {
                    (glyph::chip(None, &poll.outcome.as_str().replace('_', " "), !is_answered))
                    " since " (words::ago(poll.since))
                }
                @if let Some(reason) = &poll.reason { dt { "Reason" } dd { (reason) } }
                dt { "Asked" } dd { (words::ago(poll.last_at)) }
                dt { "Last answered" } dd { (words::ago_or(poll.answered_at, "never")) }
                @if let Some(status) = poll.status { dt { "HTTP status" } dd { (status) } }
                @for error in &poll.errors {
                    dt { "Error" } dd { (error) }
                }
            }
        }
    }
}
