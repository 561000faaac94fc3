//! The reasons of a watch: source, expiry and note.

use maud::{Markup, html};

use super::words;
use crate::store::WatchReason;

/// The reasons, separated by commas.
pub(super) fn reason_list(reasons: &[WatchReason]) -> Markup {
    html! {
        @for (position, reason) in reasons.iter().enumerate() {
            @if position > 0 { ", " }
            (reason.source)
            @if let Some(at) = reason.expires_at { " until " (words::date(at)) }
            @if let Some(note) = reason.note.as_deref().filter(|note| !note.is_empty()) {
                ": \u{201c}" (note) "\u{201d}"
            }
        }
    }
}
