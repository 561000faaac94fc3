//! The checks that a user fails, the worst first, and the resolved ones.

use std::{cmp::Reverse, collections::BTreeMap};

use chrono::TimeDelta;
use maud::{Markup, html};

use crate::{
    domain::{CheckId, Objectives, Severity, Timestamp},
    store::{FailingCheck, PastFailure},
    web::page::{
        chart::{self, Cell},
        glyph, words,
    },
};

/// Days of a strip, one cell each.
const DAYS: i32 = 30;

/// Most rows of the table.
const SHOWN: usize = 200;

/// A check, with the times at which the user failed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckRow {
    check_id: String,
    title: String,
    severity: Severity,
    /// Since when the user fails it, and whether a delivery dated that.
    open: Option<(Timestamp, bool)>,
    /// When the open failure becomes overdue; `None` without a target.
    due: Option<Timestamp>,
    /// Begin and end of earlier failures, the newest first.
    past: Vec<(Timestamp, Timestamp)>,
}

impl CheckRow {
    /// By how much the open failure is overdue; `None` when it is not.
    pub(super) fn overdue_by(&self, now: Timestamp) -> Option<TimeDelta> {
        self.due.map(|due| now - due).filter(|by| *by > TimeDelta::zero())
    }
}

/// Builds one row per check: failing ones first, by severity and duration; then resolved ones.
pub(super) fn build_rows(
    failing: &[FailingCheck],
    past: Vec<PastFailure>,
    objectives: &Objectives,
) -> Vec<CheckRow> {
    let mut rows = BTreeMap::new();
    for check in failing {
        let id = CheckId::new(&check.check_id);
        let objective = id.and_then(|id| objectives.limit_for(&id, &check.severity));
        rows.insert(
            check.check_id.clone(),
            CheckRow {
                check_id: check.check_id.clone(),
                title: check.title.clone(),
                severity: check.severity.clone(),
                open: Some((check.since, check.is_dated)),
                due: objective.map(|objective| check.since + objective),
                past: Vec::new(),
            },
        );
    }
    for failure in past {
        let times = (failure.began, failure.ended);
        let row = rows.entry(failure.check_id.clone()).or_insert_with(|| CheckRow {
            check_id: failure.check_id,
            title: failure.title,
            severity: failure.severity,
            open: None,
            due: None,
            past: Vec::new(),
        });
        row.past.push(times);
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| {
        let ended = row.past.first().map(|(_, ended)| Reverse(*ended));
        (row.open.is_none(), Reverse(row.severity.rank()), row.open, ended, row.check_id.clone())
    });
    rows
}

pub(super) fn table(rows: &[CheckRow], log_begins_at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @if rows.iter().all(|row| row.open.is_none()) {
            p .soft { "The user is not known to fail a check." }
        }
        @if !rows.is_empty() {
            table .stack {
                caption .unseen { "Checks of the user, the worst first" }
                thead {
                    tr {
                        th scope="col" { "Severity" }
                        th scope="col" { "Check" }
                        th scope="col" { "State" }
                        th scope="col" { "Target" }
                        th scope="col" .c-strip { "30 days" }
                    }
                }
                tbody {
                    @for row in rows.iter().take(SHOWN) {
                        tr {
                            td { (glyph::severity_label(&row.severity)) }
                            th scope="row" { (words::subject_link("checks", &row.check_id, &row.title)) }
                            td { (state_text(row)) }
                            td { (target_text(row, now)) }
                            td .full.c-strip { (failure_strip(row, log_begins_at, now)) }
                        }
                    }
                }
            }
        }
        @if rows.len() > SHOWN { p .end { "And " (rows.len() - SHOWN) " more checks" } }
    }
}

fn state_text(row: &CheckRow) -> Markup {
    html! {
        @match (row.open, row.past.first()) {
            (Some((since, is_dated)), _) => {
                "failing for " (words::elapsed(since)) @if !is_dated { " or longer" }
            },
            (None, Some((_, ended))) => { "resolved " (words::ago(*ended)) },
            (None, None) => {},
        }
    }
}

fn target_text(row: &CheckRow, now: Timestamp) -> Markup {
    html! {
        @match (row.open, row.due, row.past.first()) {
            (None, _, Some((began, ended))) => {
                span .soft { "took " (words::duration(*ended - *began)) }
            },
            (_, Some(due), _) if due < now => {
                (glyph::overdue_mark(&format!("{} overdue", words::duration(now - due))))
            },
            (_, Some(due), _) => { span .soft { "due in " (words::time_until(due)) } },
            _ => { span .soft { "no target" } },
        }
    }
}

/// The strip of the days on which the user failed the check.
fn failure_strip(row: &CheckRow, log_begins_at: Option<Timestamp>, now: Timestamp) -> Markup {
    let cells = day_cells(row, log_begins_at, now);
    let failed = cells.iter().filter(|cell| **cell == Cell::Bad).count();
    let label = format!("Failed on {failed} of the last {DAYS} days");
    chart::draw_strip(&cells, glyph::severity_class(&row.severity), &label)
}

fn day_cells(row: &CheckRow, log_begins_at: Option<Timestamp>, now: Timestamp) -> Vec<Cell> {
    let open = row.open.map(|(since, _)| (since, now));
    let times: Vec<_> = open.into_iter().chain(row.past.iter().copied()).collect();
    let day = |number| {
        let begin = now - TimeDelta::days(1) * (DAYS - number);
        let end = begin + TimeDelta::days(1);
        if times.iter().any(|(began, ended)| *began < end && *ended >= begin) {
            Cell::Bad
        } else if log_begins_at.is_some_and(|known| known < end) {
            Cell::Good
        } else {
            Cell::Unknown
        }
    };
    (0..DAYS).map(day).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ago(days: i64) -> Timestamp {
        NOW - TimeDelta::days(days)
    }

    fn failing(id: &str, severity: &str, days: i64) -> FailingCheck {
        FailingCheck {
            check_id: id.to_owned(),
            title: id.to_owned(),
            severity: Severity::new(Some(severity)),
            since: ago(days),
            is_dated: true,
            reported_at: NOW,
        }
    }

    fn past(id: &str, severity: &str, began: i64, ended: i64) -> PastFailure {
        PastFailure {
            check_id: id.to_owned(),
            title: id.to_owned(),
            severity: Severity::new(Some(severity)),
            began: ago(began),
            ended: ago(ended),
        }
    }

    #[test]
    fn the_worst_and_longest_stand_first_and_resolved_ones_last() {
        let failing = [failing("low", "low", 40), failing("b", "high", 1), failing("a", "high", 2)];
        let past = vec![
            past("once", "low", 5, 1),
            past("b", "high", 9, 8),
            past("grave", "critical", 9, 7),
            past("grave", "critical", 20, 19),
        ];
        let objectives = Objectives::new([("high".to_owned(), TimeDelta::hours(36))], []);
        let rows = build_rows(&failing, past, &objectives);
        let order: Vec<_> = rows.iter().map(|row| row.check_id.as_str()).collect();
        assert_eq!(order, ["a", "b", "low", "grave", "once"]);
        let overdue: Vec<_> = rows.iter().map(|row| row.overdue_by(NOW)).collect();
        assert_eq!(overdue, [Some(TimeDelta::hours(12)), None, None, None, None]);
        assert_eq!(rows[1].past, [(ago(9), ago(8))]);
        assert_eq!(rows[3].past.len(), 2);
        let told = |row: &CheckRow| (state_text(row).0, target_text(row, NOW).0);
        let (said, due) = told(&rows[3]);
        assert!(said.starts_with("resolved") && due.contains("took 2 d"), "{said} {due}");
        let (said, due) = told(&rows[0]);
        assert!(said.starts_with("failing for") && due.contains("12 h overdue"), "{said} {due}");
    }

    #[test]
    fn a_strip_has_what_is_known_and_no_more() {
        let rows = build_rows(
            &[failing("a", "high", 2)],
            vec![past("a", "high", 10, 10)],
            &Objectives::default(),
        );
        let cells = day_cells(&rows[0], Some(ago(20)), NOW);
        assert_eq!(cells.len(), 30);
        let of = |wanted| cells.iter().filter(|cell| **cell == wanted).count();
        // The two days until now, and the day of the one before.
        assert_eq!((of(Cell::Bad), of(Cell::Unknown)), (3, 10), "{cells:?}");
        assert_eq!(cells[29], Cell::Bad);
    }
}
