//! How the runs of a job ended recently, by hour.

use super::{JobOutcome, RunEnd};
use crate::domain::Timestamp;

const HOUR: i64 = 3_600;

/// The hours that are reported, including the current one.
pub const HOURS: usize = 24;

/// The runs that ended in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunHour {
    /// The hour's number since 1970.
    pub at: i64,
    /// Runs that succeeded.
    pub succeeded: u64,
    /// Runs that failed, or for which a right was missing.
    pub failed: u64,
}

/// The hours of the last day in which a run ended, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunHours(Vec<RunHour>);

impl RunHours {
    /// Hours that were stored before, in any order.
    #[must_use]
    pub fn new(mut hours: Vec<RunHour>) -> Self {
        hours.sort_by_key(|hour| hour.at);
        Self(hours)
    }

    /// The hours, to store them.
    #[must_use]
    pub fn hours(&self) -> &[RunHour] {
        &self.0
    }

    /// Records a run that ended. A run without targets says nothing about the service and is not
    /// counted.
    pub fn record(&mut self, end: &RunEnd, at: Timestamp) {
        let (succeeded, failed) = match end.outcome {
            JobOutcome::Succeeded if end.counts.asked == 0 => return,
            JobOutcome::Succeeded => (1, 0),
            JobOutcome::Failed | JobOutcome::Off => (0, 1),
        };
        let at = hour_of(at);
        // When the clock was set back, stored hours are in the future: they are not of the last
        // day.
        let first = at - i64::try_from(HOURS).unwrap_or(i64::MAX) + 1;
        self.0.retain(|hour| (first..=at).contains(&hour.at));
        match self.0.last_mut() {
            Some(last) if last.at == at => {
                last.succeeded = last.succeeded.saturating_add(succeeded);
                last.failed = last.failed.saturating_add(failed);
            }
            _ => self.0.push(RunHour { at, succeeded, failed }),
        }
    }

    /// The 24 hours up to the current one, the oldest first; none for an hour in which no run
    /// ended.
    #[must_use]
    pub fn last_day(&self, now: Timestamp) -> [Option<RunHour>; HOURS] {
        let now = hour_of(now);
        let mut hours = [None; HOURS];
        for (hour, back) in hours.iter_mut().rev().zip(0_i64..) {
            *hour = self.0.iter().find(|hour| hour.at == now - back).copied();
        }
        hours
    }
}

/// The number of a moment's hour since 1970.
#[must_use]
pub const fn hour_of(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunCounts;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_timestamp(hour * HOUR + 60, 0).unwrap()
    }

    fn end(outcome: JobOutcome) -> RunEnd {
        let counts = RunCounts { asked: 1, ..RunCounts::default() };
        RunEnd { outcome, reason: None, counts }
    }

    #[test]
    fn an_hour_without_a_run_is_not_known() {
        let mut hours = RunHours::default();
        hours.record(&end(JobOutcome::Succeeded), at(100));
        hours.record(&end(JobOutcome::Failed), at(102));
        hours.record(&end(JobOutcome::Succeeded), at(102));
        hours.record(&end(JobOutcome::Off), at(103));
        let idle = RunEnd { counts: RunCounts::default(), ..end(JobOutcome::Succeeded) };
        hours.record(&idle, at(104));
        let known = hours.last_day(at(104)).map(|hour| hour.map(|h| (h.succeeded, h.failed)));
        assert_eq!(known[HOURS - 5..], [Some((1, 0)), None, Some((1, 1)), Some((0, 1)), None]);
        assert!(known[..HOURS - 5].iter().all(Option::is_none));
    }

    #[test]
    fn a_day_is_kept_whatever_the_clock_does() {
        let mut hours = RunHours::default();
        for hour in 0..200 {
            hours.record(&end(JobOutcome::Succeeded), at(hour));
        }
        assert_eq!(hours.hours().len(), HOURS);
        hours.record(&end(JobOutcome::Failed), at(150));
        assert_eq!(hours.hours(), [RunHour { at: 150, succeeded: 0, failed: 1 }]);
        hours.record(&end(JobOutcome::Failed), at(500));
        assert_eq!(hours.hours().len(), 1);
    }
}
