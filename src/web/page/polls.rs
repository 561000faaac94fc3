//! How the last poll of a user or an address ended, and why.

use maud::{Markup, html};

use super::{glyph, words};
use crate::{
    domain::{PollOutcome, Timestamp},
    store::PollState,
    web::Ops,
};

/// What a page says where nobody asks the service any more; empty where somebody does.
pub(super) fn off(ops: &Ops, observed_at: Option<Timestamp>) -> Markup {
    html! {
        @if let Some(at) = observed_at.filter(|_| !ops.sources.parts.api) {
            p .soft {
                "The service is not asked, since there is no [api]. What it told is from " (words::ago(at)) "."
            }
        }
    }
}

/// The section of the page; empty when the answer told everything.
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
