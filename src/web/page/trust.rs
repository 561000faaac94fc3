//! Whether the end of failures is known. Only answers of the API end failures, so while it does not
//! answer the numbers may be too high.

use maud::{Markup, html};

use super::{layout::Section, parts::notice, words};
use crate::{
    clock,
    domain::Timestamp,
    web::{
        Ops,
        parts::{self, Part},
    },
};

/// Until when ends of failures are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// Until now: the API answers.
    Now,
    /// Until the API last answered; `None` when it never did.
    Until(Option<Timestamp>),
    /// Not at all: there is no `[api]`.
    Never,
}

/// Derives it from the part `API`.
pub(super) fn confirmed_until(ops: &Ops, parts: &[Part]) -> Confirmed {
    if !ops.sources.parts.api {
        return Confirmed::Never;
    }
    match parts.iter().find(|part| part.name == "API") {
        Some(part) if part.state == parts::State::Failing => Confirmed::Until(part.since),
        _ => Confirmed::Now,
    }
}

/// The warning that the API does not answer; empty while it does.
pub(super) fn trust_notice(confirmed: Confirmed) -> Markup {
    let Confirmed::Until(at) = confirmed else { return html! {} };
    notice(&html! {
        b {
            "The API does not answer"
            @if let Some(at) = at { ", since " (words::ago(at)) }
            "."
        }
        " New failures still arrive by webhook; who stopped failing since then is not known, so \
         the numbers below may be too high. "
        a href=(Section::Health.url()) { "What to do" }
    })
}

/// Replaces the days that the API has not confirmed by unknown values, which are drawn as a dotted
/// line.
pub(super) fn hide_unconfirmed(
    mut days: Vec<Option<u64>>,
    confirmed: Confirmed,
) -> Vec<Option<u64>> {
    if let Confirmed::Until(at) = confirmed {
        let old = at.map_or(i64::MAX, |at| (clock::now() - at).num_days());
        let unknown = usize::try_from(old).unwrap_or(usize::MAX).saturating_add(1);
        let known = days.len().saturating_sub(unknown);
        days[known..].fill(None);
    }
    days
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_the_api_does_not_confirm_is_not_drawn() {
        let days = vec![Some(1), Some(2), Some(3)];
        let hours_ago = |hours| Some(clock::now() - TimeDelta::hours(hours));
        assert_eq!(hide_unconfirmed(days.clone(), Confirmed::Now), days);
        let drawn = |at| hide_unconfirmed(days.clone(), Confirmed::Until(at));
        assert_eq!(drawn(hours_ago(3)), [Some(1), Some(2), None]);
        assert_eq!(drawn(hours_ago(30)), [Some(1), None, None]);
        assert_eq!(drawn(None), [None, None, None]);
    }
}
