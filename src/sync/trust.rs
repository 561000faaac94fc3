//! Decides whether the wall clock is trusted to tell what is too old.
//!
//! A machine that starts with a clock that is years ahead must not lose its data. The clock is
//! trusted when it is near the moment at which the store last trusted one, or after it has run
//! evenly for a day of real time. It is judged again when it is set.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;

use crate::domain::Timestamp;

/// How far the clock may be ahead of the last trusted moment.
const VOUCHED: TimeDelta = TimeDelta::days(31);

/// How long any other clock must have run evenly.
const RUN_IN: Duration = Duration::from_hours(24);

/// How much the wall clock may deviate from the time that passed; a larger deviation means that it
/// was set.
const EVEN: TimeDelta = TimeDelta::minutes(5);

/// The state of the wall clock.
#[derive(Debug)]
pub(super) struct Trust {
    /// When the clock was last trusted before the start.
    trusted: Option<Timestamp>,
    started: Instant,
    /// Since when the clock has run evenly, and its value then.
    even_since: (Instant, Timestamp),
}

impl Trust {
    /// Judges the clock at a start, before any row is stored by it.
    pub(super) fn new(trusted: Option<Timestamp>, now: Timestamp) -> Self {
        let started = Instant::now();
        let trust = Self { trusted, started, even_since: (started, now) };
        if !trust.is_vouched(now) {
            tracing::warn!(
                %now,
                ?trusted,
                "the clock is far ahead of when it was last believed; nothing is removed as too \
                 old, and no watch entry expires, before it ran evenly for a day"
            );
        }
        trust
    }

    /// Whether the clock, which reads `now`, is trusted.
    pub(super) fn is_trusted(&mut self, now: Timestamp) -> bool {
        let (since, then) = self.even_since;
        let passed = TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX);
        let by = (now - then) - passed;
        if by.abs() > EVEN {
            let seconds = by.num_seconds();
            if self.is_vouched(now) {
                tracing::warn!(%now, seconds, "the clock was set; what is too old is removed by it");
            } else {
                tracing::warn!(
                    %now,
                    seconds,
                    "the clock was set far ahead; nothing is removed as too old, and no watch \
                     entry expires, before it ran evenly for a day or is set back"
                );
            }
            self.even_since = (Instant::now(), now);
        }
        self.is_vouched(now) || self.even_since.0.elapsed() >= RUN_IN
    }

    fn is_vouched(&self, now: Timestamp) -> bool {
        let Some(trusted) = self.trusted else { return true };
        let running = TimeDelta::from_std(self.started.elapsed()).unwrap_or(TimeDelta::MAX);
        now - trusted <= VOUCHED + running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_years_ahead_decides_nothing_before_it_ran_for_a_day() {
        let ahead = NOW + TimeDelta::days(3650);
        let mut trust = Trust::new(Some(NOW), ahead);
        assert!(!trust.is_trusted(ahead));
        tokio::time::advance(Duration::from_hours(23)).await;
        assert!(!trust.is_trusted(ahead + TimeDelta::hours(23)));
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(trust.is_trusted(ahead + TimeDelta::hours(24)));
        // Set to the right time, it is near the stored moment; set ahead again, the day starts
        // again.
        let right = NOW + TimeDelta::hours(24);
        assert!(trust.is_trusted(right));
        assert!(!trust.is_trusted(right + TimeDelta::days(3650)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_near_the_last_one_is_believed_at_once_and_as_long_as_it_runs() {
        for trusted in [None, Some(NOW), Some(NOW - TimeDelta::days(30)), Some(NOW + VOUCHED * 9)] {
            let mut trust = Trust::new(trusted, NOW);
            assert!(trust.is_trusted(NOW), "{trusted:?}");
            tokio::time::advance(Duration::from_hours(24 * 365)).await;
            assert!(trust.is_trusted(NOW + TimeDelta::days(365)), "{trusted:?}");
        }
    }
}
