//! Checks that somebody fails now, and since when.

use maud::{Markup, html};

use super::words;
use crate::{
    domain::Timestamp,
    store::{CheckState, Reader, StoreError},
    web::listing::{Listing, State},
};

/// Checks of a table at most: more than anybody reads, and no page without end where deliveries
/// name ever new ones.
const SHOWN: usize = 200;

/// A check, and since when somebody fails it.
pub(super) struct Failing {
    pub(super) id: String,
    pub(super) state: CheckState,
    since: Option<Timestamp>,
}

/// Every check, the worst first.
pub(super) fn read(reader: &Reader) -> Result<Vec<Failing>, StoreError> {
    let mut checks = Vec::new();
    for id in reader.check_ids()? {
        if let Some(state) = reader.check(&id)? {
            let since = reader.failing_since(&id)?;
            checks.push(Failing { id, state, since });
        }
    }
    checks.sort_by(|a, b| {
        let rank = |check: &Failing| {
            (check.state.failing > 0, check.state.severity.rank(), check.state.failing)
        };
        rank(b).cmp(&rank(a)).then_with(|| a.id.cmp(&b.id))
    });
    Ok(checks)
}

/// The section of the page.
pub(super) fn section(checks: &[Failing], listing: &Listing) -> Markup {
    let (failing, passed): (Vec<_>, Vec<_>) =
        checks.iter().partition(|check| check.state.failing > 0);
    html! {
        section #failing .card aria-labelledby="failing-title" data-live {
            div .head { h2 #failing-title { "Failing now" } }
            @if failing.is_empty() {
                p .soft { (nobody("No user is known to fail a check", listing)) }
            } @else {
                (table(&failing))
            }
            @if !passed.is_empty() {
                details {
                    summary { (words::count(passed.len() as u64, "check", "checks")) " that no user fails" }
                    (table(&passed))
                }
            }
        }
    }
}

/// That nobody fails, as far as that is known.
pub(super) fn nobody(claim: &str, listing: &Listing) -> Markup {
    html! {
        (claim)
        @if listing.state == State::Complete {
            "."
        } @else {
            ". The tenant was not listed yet, so failures may be missing."
        }
    }
}

fn table(checks: &[&Failing]) -> Markup {
    html! {
        div .table {
            table .stack {
                thead {
                    tr {
                        th scope="col" { "Severity" }
                        th scope="col" { "Check" }
                        th scope="col" .number { "Users" }
                        th scope="col" { "Began" }
                        th scope="col" .minor { "Last change" }
                    }
                }
                tbody {
                    @for check in checks.iter().take(SHOWN) {
                        tr {
                            td { (words::severity(&check.state.severity)) }
                            th scope="row" {
                                (words::subject("checks", &check.id, &check.state.title))
                                @if check.state.title != check.id { small .minor { code { (check.id) } } }
                            }
                            td .number data-is=(if check.state.failing == 1 { "user" } else { "users" }) { (check.state.failing) }
                            td data-is="began" { (words::ago_or(check.since, "–")) }
                            td .minor { (words::ago(check.state.last_event_at)) }
                        }
                    }
                }
            }
        }
        @if let Some(more) = checks.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            p .soft {
                "And " (words::count(more as u64, "further check", "further checks")) "; "
                a href="/api/v1/checks" { "the API" } " has them all."
            }
        }
    }
}
