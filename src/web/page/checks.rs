//! The table of checks that users fail, the worst first.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{
    chart, glyph,
    overview::{self, Row, Sums},
    tiles,
    trust::{Confirmed, hide_unconfirmed},
    words,
};
use crate::{
    domain::{Severity, Timestamp},
    store::Counted,
    web::listing::{Listing, State},
};

/// Most rows of a table. It bounds the page when deliveries invent check ids.
const SHOWN: usize = 200;

/// Up to this many checks are in one table; of more, those below high are folded by severity.
const UNFOLDED: usize = 20;

/// The data of the section.
pub(super) struct Checks<'a> {
    pub(super) rows: &'a [Row],
    pub(super) sums: &'a Sums,
    pub(super) people: u64,
    pub(super) confirmed: Confirmed,
    pub(super) listing: &'a Listing,
    /// Whether only checks with overdue failures are shown.
    pub(super) is_overdue_only: bool,
    pub(super) now: Timestamp,
}

impl Checks<'_> {
    /// Renders the section.
    pub(super) fn section(&self) -> Markup {
        let (failing, passed): (Vec<_>, Vec<_>) =
            self.rows.iter().partition(|row| row.state.failing > 0);
        let shown: Vec<_> = failing
            .iter()
            .copied()
            .filter(|row| !self.is_overdue_only || is_overdue(row))
            .collect();
        html! {
            section #checks .card aria-labelledby="checks-title" data-live {
                div .head {
                    h2 #checks-title { "Checks" }
                    p .soft { (self.summary()) }
                    span .more {
                        a href="/checks.csv" { "CSV" }
                        @if self.sums.failing > 0 { a href="/users.csv" { "Users as CSV" } }
                        a href="/api/v1/checks" { "JSON" }
                    }
                }
                @if self.is_overdue_only {
                    p .views { "Only checks with overdue failures. " a href="/#checks" { "All checks" } }
                }
                @if failing.is_empty() {
                    p .soft { (no_failure_text("No user is known to fail a check", self.listing)) }
                } @else if shown.is_empty() {
                    p .soft { "Nothing is overdue." }
                } @else {
                    (self.tables(&shown))
                }
                @if !passed.is_empty() && !self.is_overdue_only {
                    details .fold {
                        summary { (words::count(passed.len() as u64, "check", "checks")) " that nobody fails" }
                        (self.table(&passed, "Checks that nobody fails"))
                    }
                }
            }
        }
    }

    fn summary(&self) -> Markup {
        if self.sums.failing == 0 {
            return html! {};
        }
        html! {
            (words::number(self.sums.checks)) @if self.sums.checks == 1 { " fails, " } @else { " fail, " }
            (words::count(self.sums.failing, "failure", "failures")) " of "
            (words::count(self.people, "user", "users"))
            @if let Some((count, is_more)) = self.sums.overdue.filter(|(count, _)| *count > 0) {
                " · " a href="/?overdue=1#checks" {
                    @if is_more { "over " } (words::number(count)) " overdue"
                }
            }
        }
    }

    /// Renders one table, or of many checks one for high and critical and a folded one for each
    /// other severity.
    fn tables(&self, rows: &[&Row]) -> Markup {
        if rows.len() <= UNFOLDED {
            return self.table(rows, "Checks that users fail, the worst first");
        }
        let (grave, milder): (Vec<_>, Vec<_>) =
            rows.iter().copied().partition(|row| overview::is_grave(&row.state.severity));
        let same = |a: &&Row, b: &&Row| a.state.severity.rank() == b.state.severity.rank();
        html! {
            @if !grave.is_empty() { (self.table(&grave, "Checks that users fail, the worst first")) }
            @for group in milder.chunk_by(same) {
                @if let Some(first) = group.first() {
                    details .fold {
                        summary { (self.group_summary(&first.state.severity, group)) }
                        (self.table(group, "Checks of this severity"))
                    }
                }
            }
        }
    }

    fn group_summary(&self, severity: &Severity, rows: &[&Row]) -> Markup {
        let sums = Sums::sum_rows(rows.iter().copied(), self.now);
        html! {
            (glyph::severity_label(severity)) " " (words::count(rows.len() as u64, "check", "checks")) " "
            span .soft {
                (words::count(sums.failing, "failure", "failures"))
                @if let Some(growth) = sums.growth { " · " (tiles::signed_text(growth)) " in 24 hours" }
                @match sums.overdue {
                    Some((count, is_more)) => {
                        " · " @if is_more { "over " } (words::number(count)) " overdue"
                    },
                    None => " · no target",
                }
            }
        }
    }

    fn table(&self, rows: &[&Row], caption: &str) -> Markup {
        html! {
            table .checks .stack {
                caption .unseen { (caption) }
                thead {
                    tr {
                        th scope="col" .c-grade { "Severity" }
                        th scope="col" { "Check" }
                        th scope="col" .number .c-users { "Users" }
                        th scope="col" .c-trend { (overview::DAYS) " days" }
                        th scope="col" .c-delta { "24 hours" }
                        th scope="col" .c-old { "Oldest" }
                        th scope="col" .c-due { "Overdue" }
                    }
                }
                tbody { @for row in rows.iter().take(SHOWN) { (self.row(row)) } }
            }
            @if let Some(more) = rows.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                p .end {
                    "And " (words::count(more as u64, "further check", "further checks")) "; "
                    a href="/checks.csv" { "the CSV" } " has them all."
                }
            }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        let state = &row.state;
        let days = hide_unconfirmed(overview::failing_by_day(&row.days), self.confirmed);
        let label = tiles::chart_label("Failing users", &days, state.failing);
        html! {
            tr {
                td .c-grade { (glyph::severity_label(&state.severity)) }
                th scope="row" { (words::subject_link("checks", &row.id, &state.title)) }
                td .number .c-users data-unit=(if state.failing == 1 { "user" } else { "users" }) {
                    @if state.failing > 0 { b { (words::number(state.failing)) } } @else { "0" }
                }
                td .c-trend { (chart::draw_spark(&days, chart::ROW, glyph::severity_class(&state.severity), &label)) }
                (change_cell(row, self.confirmed))
                td .c-old data-is="oldest" {
                    @if let Some(oldest) = state.oldest_failure_at { (words::elapsed(oldest)) }
                }
                (overdue_cell(row.target, row.overdue))
            }
        }
    }
}

/// The claim that no user fails, with a warning while the tenant was not listed.
pub(super) fn no_failure_text(claim: &str, listing: &Listing) -> Markup {
    html! {
        (claim)
        @if listing.state == State::Complete {
            "."
        } @else {
            ". The tenant was not listed yet, so failures may be missing."
        }
    }
}

/// The cell with new and resolved failures in 24 hours. While the API does not answer, 0 resolved
/// is shown as unknown.
fn change_cell(row: &Row, confirmed: Confirmed) -> Markup {
    let (new, resolved) = (row.change.new, row.change.resolved);
    let is_known = confirmed == Confirmed::Now;
    if new == 0 && resolved == 0 && is_known {
        return html! { td .c-delta .zero { "±0" } };
    }
    let part = |sign: &str, count: u64| {
        let class = (count == 0).then_some("soft");
        html! { span class=[class] { (sign) (words::number(count)) } }
    };
    html! {
        td .c-delta {
            (part("+", new)) " "
            @if resolved == 0 && !is_known { span .soft { "−?" } } @else { (part("−", resolved)) }
        }
    }
}

fn is_overdue(row: &Row) -> bool {
    row.overdue.is_some_and(|overdue| overdue != Counted::Exactly(0))
}

/// The cell with the number of failures beyond the target.
fn overdue_cell(target: Option<TimeDelta>, overdue: Option<Counted>) -> Markup {
    let Some((target, overdue)) = target.zip(overdue) else {
        return html! { td .c-due .zero { "no target" } };
    };
    let target = words::two_units(target);
    let count = match overdue {
        Counted::Exactly(0) => return html! { td .c-due .zero { "within " (target) } },
        Counted::Exactly(count) => words::number(count),
        Counted::MoreThan(count) => format!("over {}", words::number(count)),
    };
    html! { td .c-due { (glyph::overdue_mark(&count)) " " span .soft { "over " (target) } } }
}
