//! How many users failed each check in the past, computed from the open failures and the log, read
//! backwards.

use std::collections::{BTreeMap, HashMap};

use crate::domain::Timestamp;

const MICROS: i64 = 1_000_000;

/// Moments at which a curve has a value: whole seconds since 1970 that a step divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    first: i64,
    step: i64,
    len: usize,
}

impl Grid {
    /// The moments between two moments, both included; none when there is no such moment.
    #[must_use]
    pub fn new(since: Timestamp, until: Timestamp, step_seconds: u32) -> Option<Self> {
        let step = i64::from(step_seconds.max(1));
        let first = ceil(ceil(since.timestamp_micros(), MICROS), step) * step;
        let last = until.timestamp().div_euclid(step) * step;
        let steps = last.checked_sub(first).filter(|time| *time >= 0)? / step;
        Some(Self { first, step, len: usize::try_from(steps).ok()?.checked_add(1)? })
    }

    /// The number of moments; at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// A moment, in seconds since 1970.
    #[must_use]
    pub fn second(&self, index: usize) -> i64 {
        let steps = i64::try_from(index).unwrap_or(i64::MAX);
        self.first.saturating_add(steps.saturating_mul(self.step))
    }

    /// The index of the first moment at or after this one; [`Self::len`] when it is after the last.
    fn index(&self, at: Timestamp) -> usize {
        let micros = at.timestamp_micros().saturating_sub(self.first.saturating_mul(MICROS));
        let steps = ceil(micros.max(0), self.step.saturating_mul(MICROS));
        usize::try_from(steps).unwrap_or(usize::MAX).min(self.len)
    }
}

/// The quotient, rounded up; the divisor is positive.
const fn ceil(dividend: i64, divisor: i64) -> i64 {
    dividend.div_euclid(divisor) + (dividend.rem_euclid(divisor) != 0) as i64
}

/// An entry of the log about a check, as the curve counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastStep {
    /// This user began to count as failing.
    Opened(u128),
    /// This user stopped counting as failing.
    Resolved(u128),
    /// Another check was merged into this one: the log does not say who failed which before.
    Merged,
    /// The check existed at this moment.
    Named,
}

/// The curves of checks, while the log is read from its end to its beginning.
///
/// The caller numbers the people. Memory grows with the failures open at a time and with the
/// moments at which something changed, and not with the length of the log.
/// open at a time and with the moments at which something changed, and not with the log.
#[derive(Debug)]
pub struct Curves {
    grid: Grid,
    /// The failures that are open at the position of the walk, by check and person. The value is
    /// when the failure began, if it is open now: the log may not have its beginning.
    open: HashMap<(usize, u128), Option<Timestamp>>,
    checks: Vec<Curve>,
}

/// The number of users who failed one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    grid: Grid,
    now: i64,
    /// By how much the number changes at a moment.
    changes: BTreeMap<usize, i64>,
    /// Before this moment the number is unknown.
    known_from: usize,
    /// The check existed at this moment; none when the log does not name it.
    named_from: Option<usize>,
}

impl Curves {
    /// The curves of this many checks, which are numbered from 0.
    #[must_use]
    pub fn new(grid: Grid, checks: usize) -> Self {
        let curve =
            Curve { grid, now: 0, changes: BTreeMap::new(), known_from: 0, named_from: None };
        Self { grid, open: HashMap::new(), checks: vec![curve; checks] }
    }

    /// Records that a failure is open now, before the walk begins.
    pub fn record_open(&mut self, check: usize, person: u128, opened_at: Timestamp) {
        if let Some(curve) = self.checks.get_mut(check)
            && self.open.insert((check, person), Some(opened_at)).is_none()
        {
            curve.now += 1;
        }
    }

    /// Goes back over an entry that the exporter recorded at this moment.
    ///
    /// An entry that contradicts later ones is from a time that the log does not cover completely:
    /// the check was removed and came again, or was hidden. The curve begins after it.
    pub fn walk_back(&mut self, check: usize, step: PastStep, at: Timestamp) {
        let index = self.grid.index(at);
        let Some(curve) = self.checks.get_mut(check) else { return };
        // Entries are in order of their numbers, but their moments may go back when the clock was
        // set.
        curve.named_from = Some(curve.named_from.map_or(index, |known| known.min(index)));
        let is_told = match step {
            PastStep::Opened(person) => {
                let was_open = self.open.remove(&(check, person)).is_some();
                curve.add_change(index, i64::from(was_open));
                was_open
            }
            PastStep::Resolved(person) => {
                let is_ended = self.open.insert((check, person), None).is_none();
                curve.add_change(index, -i64::from(is_ended));
                is_ended
            }
            PastStep::Merged => false,
            PastStep::Named => true,
        };
        if !is_told {
            curve.known_from = curve.known_from.max(index);
        }
    }

    /// The curves, once the beginning of the log is reached.
    #[must_use]
    pub fn finish(mut self) -> Vec<Curve> {
        for ((check, _), opened_at) in self.open {
            let curve = self.checks.get_mut(check);
            if let (Some(curve), Some(opened_at)) = (curve, opened_at) {
                // The failure began before the log, or without an event while the check was hidden.
                curve.add_change(self.grid.index(opened_at), 1);
            }
        }
        self.checks
    }
}

impl Curve {
    fn add_change(&mut self, index: usize, by: i64) {
        // Changes up to the first moment hold at all moments.
        if index > 0 && by != 0 {
            *self.changes.entry(index).or_default() += by;
        }
    }

    /// The known values, in order, each with the index of its moment in the grid.
    ///
    /// Zero is known once the check is known to have existed.
    pub fn values(&self) -> impl Iterator<Item = (usize, u64)> {
        let mut value = self.now - self.changes.values().sum::<i64>();
        let mut changes = self.changes.iter().peekable();
        (0..self.grid.len).filter_map(move |index| {
            while let Some((_, by)) = changes.next_if(|(at, _)| **at <= index) {
                value += by;
            }
            let existed = value > 0 || self.named_from.is_some_and(|from| from <= index);
            // When the clock was set, an end can precede its beginning.
            let known = u64::try_from(value).ok().filter(|_| existed && index >= self.known_from);
            known.map(|value| (index, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    /// A curve over the seconds 100 to 109.
    fn curve(open: &[(u128, i64)], steps: &[(PastStep, i64)]) -> Vec<(usize, u64)> {
        let mut curves = Curves::new(Grid::new(at(100), at(109), 1).unwrap(), 1);
        for (person, opened_at) in open {
            curves.record_open(0, *person, at(*opened_at));
        }
        for (step, second) in steps {
            curves.walk_back(0, *step, at(*second));
        }
        curves.finish()[0].values().collect()
    }

    #[test]
    fn moments_are_those_that_the_step_divides_and_no_other() {
        let grid = |since, until, step| {
            Grid::new(at(since), at(until), step).map(|grid| (grid.second(0), grid.len()))
        };
        assert_eq!(grid(1, 1200, 300), Some((300, 4)));
        assert_eq!(grid(0, 299, 300), Some((0, 1)));
        assert_eq!(grid(1, 299, 300), None);
        assert_eq!(grid(900, 300, 300), None);
        let grid = Grid::new(at(300), at(900), 300).unwrap();
        let later = at(300) + chrono::TimeDelta::microseconds(1);
        assert_eq!([at(0), at(300), later, at(901)].map(|at| grid.index(at)), [0, 0, 1, 3]);
    }

    #[test]
    fn what_began_and_ended_is_undone_in_reverse() {
        let steps = [
            (PastStep::Opened(2), 107),
            (PastStep::Resolved(1), 105),
            (PastStep::Opened(1), 102),
            (PastStep::Named, 101),
        ];
        let expected = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 0), (6, 0), (7, 1), (8, 1), (9, 1)];
        assert_eq!(curve(&[(2, 107)], &steps), expected);
    }

    #[test]
    fn who_failed_before_the_log_begins_fails_at_its_beginning() {
        let steps = [(PastStep::Resolved(1), 108)];
        let expected: Vec<_> =
            (0..10).map(|index| (index, if index < 8 { 2 } else { 1 })).collect();
        assert_eq!(curve(&[(2, 50)], &steps), expected);
    }

    #[test]
    fn a_beginning_that_the_log_does_not_tell_is_when_the_failure_opened() {
        assert_eq!(curve(&[(1, 108)], &[]), [(8, 1), (9, 1)]);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        // No user fails it, and the log does not say whether it existed.
        assert_eq!(curve(&[], &[]), []);
        let since_107 = [(7, 1), (8, 1), (9, 1)];
        for earlier in [PastStep::Merged, PastStep::Opened(2)] {
            assert_eq!(curve(&[(1, 103)], &[(earlier, 107)]), since_107, "{earlier:?}");
        }
        let ended_while_it_goes_on = [(PastStep::Resolved(1), 107)];
        assert_eq!(curve(&[(1, 50)], &ended_while_it_goes_on), since_107);
    }

    proptest! {
        #[test]
        fn a_walk_back_finds_what_was(
            steps in proptest::collection::vec((0..2_usize, 0..4_u128, 0..4_i64), 0..40),
            skipped in 0..20_usize,
        ) {
            let (mut second, mut told) = (100, Vec::new());
            let mut failing = BTreeMap::<(usize, u128), i64>::new();
            // The number of users who failed each check at the end of each second.
            let mut was = BTreeMap::<i64, [u64; 2]>::new();
            for (check, person, later) in steps {
                second += later;
                let step = if failing.remove(&(check, person)).is_some() {
                    PastStep::Resolved(person)
                } else {
                    failing.insert((check, person), second);
                    PastStep::Opened(person)
                };
                told.push((check, step, second));
                let count = |of| failing.keys().filter(|(check, _)| *check == of).count() as u64;
                was.insert(second, [count(0), count(1)]);
            }
            // The log begins later.
            let kept = told.split_off(skipped.min(told.len()));
            let begin = told.last().map_or(99, |(.., second)| *second);
            let grid = Grid::new(at(begin), at(second + 3), 1).unwrap();
            let mut curves = Curves::new(grid, 2);
            for ((check, person), opened_at) in &failing {
                curves.record_open(*check, *person, at(*opened_at));
            }
            for (check, step, second) in kept.iter().rev() {
                curves.walk_back(*check, *step, at(*second));
            }
            for (check, curve) in curves.finish().iter().enumerate() {
                let known: BTreeMap<_, _> = curve.values().collect();
                let named: BTreeSet<_> =
                    kept.iter().filter(|(of, ..)| *of == check).map(|(.., at)| *at).collect();
                for index in 0..grid.len() {
                    let second = grid.second(index);
                    let then = was.range(..=second).next_back().map_or(0, |(_, of)| of[check]);
                    let existed = then > 0 || named.first().is_some_and(|first| *first <= second);
                    prop_assert_eq!(known.get(&index).copied(), existed.then_some(then));
                }
            }
        }
    }
}
