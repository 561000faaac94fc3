//! The number of users who failed a check recently, by hour and by UTC day.

use chrono::TimeDelta;

use crate::domain::Timestamp;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The hours for which counts are stored: two days, so that a day can be compared with the one
/// before.
const HOURS: i64 = 48;

/// The days for which counts are stored, including today.
pub const TREND_DAYS: usize = 31;

/// The counts of a check in an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The hour's or the day's number since 1970.
    pub at: i64,
    /// Users who failed at its end; none when that is no longer known.
    pub failing: Option<u64>,
    /// Failures that were announced.
    pub new: u64,
    /// Failures that ended.
    pub resolved: u64,
}

/// Hours and days in which something changed, the oldest first. The number at the end of one holds
/// until the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    hours: Vec<Bucket>,
    days: Vec<Bucket>,
}

/// The changes in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Failures that were announced.
    pub new: u64,
    /// Failures that ended.
    pub resolved: u64,
}

/// A day of a trend; its fields are none for a time without data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrendDay {
    /// Users who failed at its end.
    pub failing: Option<u64>,
    /// Failures that were announced, and that ended.
    pub change: Option<Change>,
}

impl Trend {
    /// A trend that was stored before.
    #[must_use]
    pub const fn new(hours: Vec<Bucket>, days: Vec<Bucket>) -> Self {
        Self { hours, days }
    }

    /// The buckets, to store them.
    #[must_use]
    pub fn parts(&self) -> (&[Bucket], &[Bucket]) {
        (&self.hours, &self.days)
    }

    /// Records a change at a moment, and how many users fail after it.
    pub fn record(&mut self, at: Timestamp, change: Change, failing: u64) {
        let days = i64::try_from(TREND_DAYS).unwrap_or(i64::MAX);
        for (buckets, length, kept) in [(&mut self.hours, HOUR, HOURS), (&mut self.days, DAY, days)]
        {
            let at = at.timestamp().div_euclid(length);
            // After the clock was set back, changes count in the newest bucket.
            let is_later = buckets.last().is_none_or(|last| last.at < at);
            if is_later {
                buckets.push(Bucket { at, failing: None, new: 0, resolved: 0 });
                // The last bucket before the stored period gives the number at its beginning.
                let old = buckets.iter().take_while(|bucket| bucket.at <= at - kept).count();
                buckets.drain(..old.saturating_sub(1));
            }
            if let Some(last) = buckets.last_mut() {
                last.failing = Some(failing);
                last.new = last.new.saturating_add(change.new);
                last.resolved = last.resolved.saturating_add(change.resolved);
            }
        }
    }

    /// Adds the counts of a check that was merged into this one. Who failed which of the two is
    /// unknown, so the number of users who failed either is unknown, too.
    pub fn merge(&mut self, other: &Self) {
        for (buckets, others) in [(&mut self.hours, &other.hours), (&mut self.days, &other.days)] {
            for bucket in buckets.iter_mut() {
                bucket.failing = None;
            }
            for other in others {
                match buckets.binary_search_by_key(&other.at, |bucket| bucket.at) {
                    Ok(index) => {
                        buckets[index].new += other.new;
                        buckets[index].resolved += other.resolved;
                    }
                    Err(index) => buckets.insert(index, Bucket { failing: None, ..*other }),
                }
            }
        }
    }

    /// The last `count` days up to this moment, the oldest first; `failing` users fail now.
    #[must_use]
    pub fn days(&self, now: Timestamp, count: usize, failing: u64) -> Vec<TrendDay> {
        let today = now.timestamp().div_euclid(DAY);
        let first = today - i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1);
        let mut days: Vec<_> = (first..=today).map(|day| self.day(day, failing)).collect();
        // Today is known even where nothing was counted yet.
        if let Some(today) = days.last_mut() {
            today.failing = Some(failing);
        }
        days
    }

    fn day(&self, day: i64, failing: u64) -> TrendDay {
        let upto = self.days.partition_point(|bucket| bucket.at <= day);
        let Some(last) = self.days[..upto].last() else { return TrendDay::default() };
        let counted = (last.at == day).then_some(Change { new: last.new, resolved: last.resolved });
        // A person who was removed since must not count on any day: the current number holds since
        // the last change.
        let is_newest = upto == self.days.len();
        let failing = if is_newest { Some(failing) } else { last.failing };
        TrendDay { failing, change: Some(counted.unwrap_or_default()) }
    }

    /// The changes of the 24 hours up to this moment: the current hour and the 23 before.
    #[must_use]
    pub fn last_day(&self, now: Timestamp) -> Change {
        self.change_between(hour(now) - 24, hour(now))
    }

    /// The changes of the 24 hours before those; none where the data is incomplete.
    #[must_use]
    pub fn day_before(&self, now: Timestamp) -> Option<Change> {
        let is_known = self.hours.first().is_some_and(|first| first.at <= hour(now) - 48);
        is_known.then(|| self.change_between(hour(now) - 48, hour(now) - 24))
    }

    /// The number of users who failed 24 hours ago; none where it is unknown.
    #[must_use]
    pub fn failing_a_day_ago(&self, now: Timestamp) -> Option<u64> {
        let then = hour(now - TimeDelta::hours(24));
        let upto = self.hours.partition_point(|bucket| bucket.at <= then);
        self.hours[..upto].last()?.failing
    }

    /// Whether the check was first recorded within the last 24 hours.
    #[must_use]
    pub fn is_of_today(&self, now: Timestamp) -> bool {
        let then = hour(now - TimeDelta::hours(24));
        self.hours.first().is_some_and(|first| first.at > then && first.failing.is_some())
    }

    /// The changes after hour `behind`, up to and including hour `upto`.
    fn change_between(&self, behind: i64, upto: i64) -> Change {
        let within = self.hours.iter().filter(|bucket| bucket.at > behind && bucket.at <= upto);
        within.fold(Change::default(), |sum, bucket| Change {
            new: sum.new.saturating_add(bucket.new),
            resolved: sum.resolved.saturating_add(bucket.resolved),
        })
    }
}

const fn hour(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Change = Change { new: 1, resolved: 0 };
    const RESOLVED: Change = Change { new: 0, resolved: 1 };

    /// An hour of a day.
    fn at(day: i64, hour: i64) -> Timestamp {
        Timestamp::from_timestamp(day * DAY + hour * HOUR, 0).unwrap()
    }

    fn failing(trend: &Trend, now: Timestamp, count: usize, open: u64) -> Vec<Option<u64>> {
        trend.days(now, count, open).iter().map(|day| day.failing).collect()
    }

    #[test]
    fn a_day_without_an_event_keeps_the_number_and_one_before_the_first_is_not_known() {
        let mut trend = Trend::default();
        assert_eq!(failing(&trend, at(5, 0), 2, 0), [None, Some(0)]);
        trend.record(at(3, 1), NEW, 1);
        trend.record(at(3, 9), NEW, 2);
        trend.record(at(5, 2), RESOLVED, 1);
        let expected = [None, Some(2), Some(2), Some(1), Some(1)];
        assert_eq!(failing(&trend, at(6, 0), 5, 1), expected);
        let changes: Vec<_> = trend.days(at(6, 0), 5, 1).iter().map(|day| day.change).collect();
        let none = Some(Change::default());
        let expected = [None, Some(Change { new: 2, resolved: 0 }), none, Some(RESOLVED), none];
        assert_eq!(changes, expected);
    }

    #[test]
    fn twenty_four_hours_are_the_hour_of_now_and_those_before() {
        let mut trend = Trend::default();
        trend.record(at(3, 1), NEW, 1);
        trend.record(at(4, 1), NEW, 2);
        trend.record(at(5, 1), RESOLVED, 1);
        assert_eq!(trend.last_day(at(5, 1)), RESOLVED);
        assert_eq!(trend.last_day(at(5, 0)), NEW);
        assert_eq!((trend.day_before(at(5, 1)), trend.day_before(at(5, 0))), (Some(NEW), None));
        assert_eq!(trend.failing_a_day_ago(at(5, 1)), Some(2));
        assert_eq!(trend.failing_a_day_ago(at(5, 0)), Some(1));
        assert_eq!(trend.failing_a_day_ago(at(4, 0)), None);
        assert!(trend.is_of_today(at(4, 0)) && !trend.is_of_today(at(4, 1)));
    }

    #[test]
    fn what_is_kept_does_not_grow_and_still_tells_what_held_before() {
        let mut trend = Trend::default();
        for hour in 0..100 * 24 {
            trend.record(at(100, hour), NEW, u64::try_from(hour).unwrap());
        }
        let (hours, days) = trend.parts();
        assert_eq!((hours.len(), days.len()), (49, 32));
        trend.record(at(1000, 0), RESOLVED, 7);
        let (hours, days) = trend.parts();
        assert_eq!((hours.len(), days.len()), (2, 2));
        assert_eq!(failing(&trend, at(1000, 0), 2, 7), [Some(2399), Some(7)]);
    }

    #[test]
    fn a_clock_that_goes_back_loses_nothing() {
        let mut trend = Trend::default();
        trend.record(at(9, 0), NEW, 1);
        trend.record(at(3, 0), RESOLVED, 0);
        assert_eq!(failing(&trend, at(9, 1), 2, 0), [None, Some(0)]);
        assert_eq!(trend.last_day(at(9, 1)), Change { new: 1, resolved: 1 });
    }

    #[test]
    fn of_two_that_become_one_the_changes_are_added_and_the_number_is_not_known() {
        let (mut one, mut other) = (Trend::default(), Trend::default());
        one.record(at(3, 0), NEW, 1);
        other.record(at(2, 0), NEW, 5);
        other.record(at(3, 0), RESOLVED, 4);
        one.merge(&other);
        one.record(at(4, 0), Change::default(), 5);
        assert_eq!(failing(&one, at(4, 0), 3, 5), [None, None, Some(5)]);
        let changes: Vec<_> = one.days(at(4, 0), 3, 5).iter().map(|day| day.change).collect();
        let both = Change { new: 1, resolved: 1 };
        assert_eq!(changes, [Some(NEW), Some(both), Some(Change::default())]);
    }
}
