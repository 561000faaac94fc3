//! The checks with the data of their rows, and sums over them. Only the two readers do I/O.

use chrono::TimeDelta;

use crate::{
    domain::{
        CheckId, Objectives, Rank, Severity, Timestamp,
        failure::{Change, TrendDay},
    },
    store::{CheckState, Counted, Reader, StoreError},
};

/// Days of a trend line.
pub(super) const DAYS: usize = 14;

/// Up to this many open failures, overdue ones are counted exactly: that takes some milliseconds.
const COUNTED: u64 = 50_000;

/// Of more open failures, the rows that are scanned from either end, over all checks together.
const LOOKS: u64 = 20_000;

/// A check with the data of its row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) state: CheckState,
    /// The target: how long a failure may last.
    pub(super) target: Option<TimeDelta>,
    /// How many failures last longer; `None` without a target.
    pub(super) overdue: Option<Counted>,
    /// New and resolved failures in the last 24 hours.
    pub(super) change: Change,
    /// The last days, the oldest first.
    pub(super) days: Vec<TrendDay>,
}

/// Reads all checks, the worst first.
pub(super) fn read_rows(
    reader: &Reader,
    objectives: &Objectives,
    now: Timestamp,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    for id in reader.check_ids()? {
        if let Some(state) = reader.check(&id)? {
            rows.push(Row::new(id, state, objectives, now));
        }
    }
    let most = scan_limit(&rows);
    for row in &mut rows {
        row.overdue = count_overdue(reader, row, now, most)?;
    }
    sort_worst_first(&mut rows);
    Ok(rows)
}

/// The most rows to scan from either end of each check's failures.
fn scan_limit(rows: &[Row]) -> u64 {
    let open: u64 = rows.iter().map(|row| row.state.failing).sum();
    if open <= COUNTED {
        return open;
    }
    let failing = rows.iter().filter(|row| row.state.failing > 0).count() as u64;
    // A round number, since the page shows it as "over N".
    (LOOKS / failing.max(1) / 100 * 100).max(100)
}

/// Counts the failures of a check that last longer than its target.
pub(super) fn count_overdue(
    reader: &Reader,
    row: &Row,
    now: Timestamp,
    most: u64,
) -> Result<Option<Counted>, StoreError> {
    let Some(target) = row.target else { return Ok(None) };
    let since = now - target;
    if row.state.oldest_failure_at.is_none_or(|oldest| oldest >= since) {
        return Ok(Some(Counted::Exactly(0)));
    }
    reader.failures_before_at_most(&row.id, since, row.state.failing, most).map(Some)
}

impl Row {
    /// Creates a row without the overdue count.
    pub(super) fn new(
        id: String,
        state: CheckState,
        objectives: &Objectives,
        now: Timestamp,
    ) -> Self {
        let target = CheckId::new(&id).and_then(|id| objectives.limit_for(&id, &state.severity));
        let change = state.trend.last_day(now);
        let days = state.trend.days(now, DAYS, state.failing);
        Self { id, state, target, overdue: None, change, days }
    }

    /// The difference to the number of failing users 24 hours ago; `None` when that is unknown.
    fn growth(&self, now: Timestamp) -> Option<i64> {
        let before = self.state.trend.failing_a_day_ago(now)?;
        let difference = |from: u64, to: u64| i64::try_from(to.abs_diff(from)).unwrap_or(i64::MAX);
        let failing = self.state.failing;
        Some(if failing < before {
            -difference(before, failing)
        } else {
            difference(before, failing)
        })
    }
}

/// Sorts failing checks first, then by severity, then by failing users.
fn sort_worst_first(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        let rank =
            |row: &Row| (row.state.failing > 0, row.state.severity.rank(), row.state.failing);
        rank(b).cmp(&rank(a)).then_with(|| a.id.cmp(&b.id))
    });
}

/// Sums over checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Checks that users fail.
    pub(super) checks: u64,
    pub(super) failing: u64,
    pub(super) change: Change,
    /// New and resolved failures in the 24 hours before the last; `None` when unknown for all
    /// checks.
    pub(super) day_before: Option<Change>,
    /// The difference to the number of failures 24 hours ago; `None` when unknown.
    pub(super) growth: Option<i64>,
    /// How many failures are overdue, and whether that is a lower bound; `None` when no check has a
    /// target.
    pub(super) overdue: Option<(u64, bool)>,
    /// The last days, the oldest first.
    pub(super) days: Vec<TrendDay>,
}

impl Sums {
    /// Sums over some rows. A value that is unknown for all rows is unknown. When it is known for
    /// some, the others count as 0: a check that was not yet known had no known failures.
    pub(super) fn sum_rows<'a>(
        rows: impl Iterator<Item = &'a Row> + Clone,
        now: Timestamp,
    ) -> Self {
        let mut sums = Self { days: vec![TrendDay::default(); DAYS], ..Self::default() };
        let mut young = 0_u64;
        for row in rows {
            sums.checks += u64::from(row.state.failing > 0);
            sums.failing += row.state.failing;
            sums.change = add_changes(sums.change, row.change);
            if let Some(before) = row.state.trend.day_before(now) {
                sums.day_before = Some(add_changes(sums.day_before.unwrap_or_default(), before));
            }
            match row.growth(now) {
                Some(growth) => sums.growth = Some(sums.growth.unwrap_or(0).saturating_add(growth)),
                None if row.state.trend.is_of_today(now) => young += row.state.failing,
                None => {}
            }
            if let Some(overdue) = row.overdue {
                let (count, is_more) = sums.overdue.unwrap_or_default();
                sums.overdue = Some(match overdue {
                    Counted::Exactly(more) => (count + more, is_more),
                    Counted::MoreThan(more) => (count + more, true),
                });
            }
            for (sum, day) in sums.days.iter_mut().zip(&row.days) {
                if let Some(failing) = day.failing {
                    sum.failing = Some(sum.failing.unwrap_or(0) + failing);
                }
                if let Some(change) = day.change {
                    sum.change = Some(add_changes(sum.change.unwrap_or_default(), change));
                }
            }
        }
        // Failures of checks that appeared today are growth, when other checks have a value of the
        // day before.
        let young = i64::try_from(young).unwrap_or(i64::MAX);
        sums.growth = sums.growth.map(|growth| growth.saturating_add(young));
        sums
    }

    /// Failures at the end of each day.
    pub(super) fn failing_by_day(&self) -> Vec<Option<u64>> {
        failing_by_day(&self.days)
    }

    /// New or resolved failures of each day; `of` selects which.
    pub(super) fn changes_by_day(&self, of: impl Fn(Change) -> u64) -> Vec<Option<u64>> {
        self.days.iter().map(|day| day.change.map(&of)).collect()
    }
}

/// Failures at the end of each day.
pub(super) fn failing_by_day(days: &[TrendDay]) -> Vec<Option<u64>> {
    days.iter().map(|day| day.failing).collect()
}

/// Whether the first tile counts a check of this severity: high or critical.
pub(super) fn is_grave(severity: &Severity) -> bool {
    severity.rank() >= Rank::High
}

fn add_changes(one: Change, other: Change) -> Change {
    Change {
        new: one.new.saturating_add(other.new),
        resolved: one.resolved.saturating_add(other.resolved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::{Durations, Trend};

    const NEW: Change = Change { new: 1, resolved: 0 };

    fn at(day: i64) -> Timestamp {
        Timestamp::from_timestamp(day * 86_400, 0).unwrap()
    }

    fn row(id: &str, severity: &str, failing: u64, trend: Trend) -> Row {
        let state = CheckState {
            title: id.to_owned(),
            severity: Severity::new(Some(severity)),
            failing,
            last_event_at: at(0),
            last_failure_at: None,
            oldest_failure_at: None,
            oldest_report_at: None,
            durations: Durations::default(),
            trend,
            failures: 0,
            resolutions: 0,
        };
        Row::new(id.to_owned(), state, &Objectives::default(), at(20))
    }

    fn since(days: &[(i64, u64)]) -> Trend {
        let mut trend = Trend::default();
        for (day, failing) in days {
            trend.record(at(*day), NEW, *failing);
        }
        trend
    }

    #[test]
    fn the_worst_come_first_and_those_that_nobody_fails_last() {
        let mut rows = [
            row("passed", "critical", 0, Trend::default()),
            row("few", "high", 1, Trend::default()),
            row("b", "high", 9, Trend::default()),
            row("a", "high", 9, Trend::default()),
            row("worst", "critical", 1, Trend::default()),
        ];
        sort_worst_first(&mut rows);
        assert_eq!(rows.map(|row| row.id), ["worst", "a", "b", "few", "passed"]);
    }

    #[test]
    fn few_are_counted_to_the_end_and_of_many_a_round_number_is_looked_at() {
        let rows = |failing| {
            let row = |_| row("a", "high", failing, Trend::default());
            (0..45).map(row).collect::<Vec<_>>()
        };
        assert_eq!([rows(1_000), rows(20_000)].map(|rows| scan_limit(&rows)), [45_000, 400]);
    }

    #[test]
    fn sums_are_of_what_is_known() {
        let rows = [
            row("old", "high", 3, since(&[(18, 1), (20, 3)])),
            row("young", "high", 2, since(&[(20, 2)])),
            row("nothing is told", "low", 4, Trend::default()),
        ];
        let sums = Sums::sum_rows(rows.iter(), at(20));
        assert_eq!((sums.checks, sums.failing, sums.change.new), (3, 9, 2));
        // A day ago one failed the first check, and the second was not known.
        assert_eq!(sums.growth, Some(4));
        assert_eq!(sums.day_before, Some(Change::default()));
        assert_eq!(sums.overdue, None);
        let known = sums.failing_by_day();
        assert_eq!(known[DAYS - 4..], [None, Some(1), Some(1), Some(9)]);
        assert_eq!(sums.changes_by_day(|change| change.new)[DAYS - 2..], [Some(0), Some(2)]);
    }

    #[test]
    fn what_is_overdue_adds_up_and_says_when_it_was_not_counted_to_the_end() {
        let mut rows = [
            row("a", "high", 5, Trend::default()),
            row("b", "high", 5, Trend::default()),
            row("c", "low", 5, Trend::default()),
        ];
        rows[0].overdue = Some(Counted::Exactly(2));
        assert_eq!(Sums::sum_rows(rows.iter(), at(20)).overdue, Some((2, false)));
        rows[1].overdue = Some(Counted::MoreThan(4));
        assert_eq!(Sums::sum_rows(rows.iter(), at(20)).overdue, Some((6, true)));
    }
}
