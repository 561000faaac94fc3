//! When a job runs.

use std::str::FromStr;

use chrono::SubsecRound;
use chrono::TimeDelta;
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

use super::Timestamp;

/// A cron schedule with seconds, in a time zone.
#[derive(Clone)]
pub struct Schedule {
    pattern: String,
    cron: Cron,
    zone: Tz,
}

/// The text is no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected second, minute, hour, day of month, month and weekday, such as \"0 */15 * * * *\""
)]
pub struct ScheduleError;

impl FromStr for Schedule {
    type Err = ScheduleError;

    /// Parses six fields, by the rules of the cron library; the zone is UTC.
    fn from_str(pattern: &str) -> Result<Self, Self::Err> {
        let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
        let cron = parser.parse(pattern).map_err(|_| ScheduleError)?;
        Ok(Self { pattern: pattern.to_owned(), cron, zone: Tz::UTC })
    }
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Schedule({:?}, {})", self.pattern, self.zone)
    }
}

impl Schedule {
    /// The same schedule by the local time of a zone.
    #[must_use]
    pub fn in_zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// The text that was parsed.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The name of the zone whose local time counts.
    #[must_use]
    pub fn zone_name(&self) -> &'static str {
        self.zone.name()
    }

    /// A pattern in UTC that matches every moment of the schedule, and possibly others: a zone's
    /// offset from UTC changes over the year.
    #[must_use]
    pub fn pattern_in_utc(&self) -> String {
        if self.zone == Tz::UTC {
            return self.pattern.clone();
        }
        let seconds = self.pattern.split_whitespace().next().unwrap_or("*");
        format!("{seconds} * * * * *")
    }

    /// The first moment after `moment`; none when there is none.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let local = moment.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false).ok()?.to_utc();
        // The library keeps the fraction of the given moment's second.
        Some(next.trunc_subsecs(0))
    }

    /// The longest expected time between two runs around a moment, including nights, weekends and
    /// rarer breaks. `None` when there are no two runs.
    ///
    /// It looks at ten days, or at ten runs where these take longer.
    #[must_use]
    pub fn longest_gap(&self, around: Timestamp) -> Option<TimeDelta> {
        // The distance between two samples. A gap shorter than this can hide between them; the runs
        // next to each sample are exact.
        const STEP: TimeDelta = TimeDelta::minutes(30);
        let end = around + TimeDelta::days(10);
        let (mut moment, mut longest, mut gaps) = (around, None, 0);
        while moment < end || gaps < 10 {
            let local = moment.with_timezone(&self.zone);
            let Some(next) = self.next_after(moment) else { break };
            let Ok(previous) = self.cron.find_previous_occurrence(&local, true) else { break };
            longest = longest.max(Some(next - previous.to_utc()));
            gaps += 1;
            moment = next.max(moment + STEP);
        }
        longest
    }
}

/// Decides when a schedule's next run is due, however the clock is set.
#[derive(Debug, Clone)]
pub struct Due {
    schedule: Schedule,
    /// When the last run began, or when the wait for the first one began.
    since: Timestamp,
}

impl Due {
    /// Waits since this moment.
    #[must_use]
    pub const fn new(schedule: Schedule, since: Timestamp) -> Self {
        Self { schedule, since }
    }

    /// The moment at which the next run is due.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.schedule.next_after(self.since)
    }

    /// Takes the run that is due, if there is one. Several moments that have passed make one run. A
    /// clock that was set back restarts the wait.
    pub fn take_due_run(&mut self, now: Timestamp) -> bool {
        if now < self.since {
            self.since = now;
        }
        let is_due = self.next().is_some_and(|next| next <= now);
        if is_due {
            self.since = now;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_moment_is_after_the_given_one() {
        let schedule: Schedule = "0 */15 * * * *".parse().unwrap();
        let next = schedule.next_after(at("2026-01-02T03:15:00Z"));
        assert_eq!(next, Some(at("2026-01-02T03:30:00Z")));
    }

    #[test]
    fn a_zone_has_its_own_hours_in_summer_and_in_winter() {
        let schedule: Schedule = "0 0 6 * * *".parse().unwrap();
        let berlin = schedule.in_zone(Tz::Europe__Berlin);
        assert_eq!(berlin.next_after(at("2026-01-10T00:00:00Z")), Some(at("2026-01-10T05:00:00Z")));
        assert_eq!(berlin.next_after(at("2026-07-10T00:00:00Z")), Some(at("2026-07-10T04:00:00Z")));
        assert_eq!(berlin.pattern_in_utc(), "0 * * * * *");
    }

    #[test]
    fn an_hour_that_summer_time_skips_or_repeats_makes_one_run_a_day() {
        let schedule: Schedule = "0 30 2 * * *".parse().unwrap();
        let berlin = schedule.in_zone(Tz::Europe__Berlin);
        for day in ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"] {
            let from = at(&format!("{day}T12:00:00Z"));
            let next = berlin.next_after(from).unwrap();
            assert!(next - from < TimeDelta::hours(26), "{day}: {next}");
        }
    }

    #[test]
    fn the_longest_gap_is_the_night_or_the_weekend() {
        let around = at("2026-11-25T15:00:30Z");
        for (pattern, expected) in [
            ("* * * * * *", TimeDelta::seconds(1)),
            ("0 */15 * * * *", TimeDelta::minutes(15)),
            ("0 0 * * * *", TimeDelta::hours(1)),
            ("0 0 */6 * * *", TimeDelta::hours(6)),
            ("0 0,10 * * * *", TimeDelta::minutes(50)),
            ("0 0 3 * * *", TimeDelta::days(1)),
            ("0 * 8-18 * * MON-FRI", TimeDelta::minutes(61 * 60 + 1)),
            ("0 0 9 * * MON", TimeDelta::days(7)),
            ("0 0 0 1 * *", TimeDelta::days(31)),
        ] {
            let schedule: Schedule = pattern.parse().unwrap();
            assert_eq!(schedule.longest_gap(around), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn a_moment_is_at_a_whole_second() {
        let schedule: Schedule = "29 * * * * *".parse().unwrap();
        let next = schedule.next_after(at("2026-01-02T03:00:27.9Z"));
        assert_eq!(next, Some(at("2026-01-02T03:00:29Z")));
        let next = schedule.next_after(at("2026-01-02T03:00:29.5Z"));
        assert_eq!(next, Some(at("2026-01-02T03:01:29Z")));
    }

    #[test]
    fn five_fields_are_too_few() {
        assert!("*/15 * * * *".parse::<Schedule>().is_err());
    }

    #[test]
    fn missed_moments_are_one_run() {
        let begun = at("2026-01-01T00:00:00Z");
        let mut due = Due::new("0 * * * * *".parse().unwrap(), begun);
        assert!(!due.take_due_run(begun + TimeDelta::seconds(59)));
        assert!(due.take_due_run(begun + TimeDelta::days(3)));
        assert!(!due.take_due_run(begun + TimeDelta::days(3)));
    }

    proptest! {
        /// Checked every second on a clock that jumps arbitrarily, a job that is due every minute
        /// runs at least once in every two minutes that pass, and never more often than the clock's
        /// jumps and minutes allow.
        #[test]
        fn a_clock_that_jumps_makes_neither_a_storm_nor_a_stall(
            jumps in prop::collection::vec((1_i64..400, -100_000_i64..100_000), 1..12),
        ) {
            let mut now = at("2026-01-01T00:00:00Z");
            let mut due = Due::new("0 * * * * *".parse().unwrap(), now);
            for (seconds, jump) in jumps {
                now += TimeDelta::seconds(jump);
                let mut runs = 0;
                for _ in 0..seconds {
                    now += TimeDelta::seconds(1);
                    runs += i64::from(due.take_due_run(now));
                }
                prop_assert!(runs <= seconds / 60 + 2, "{runs} runs in {seconds} s");
                prop_assert!(runs >= (seconds / 60).saturating_sub(1), "{runs} in {seconds} s");
            }
        }
    }
}
