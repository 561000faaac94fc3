//! Waits before a failed operation is tried again.

use std::time::Duration;

use super::Timestamp;

/// The wait that a `Retry-After` header asks for, given in seconds or as a date (RFC 9110, 10.2.3).
/// The caller decides how much of it to wait. None when the text is neither.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number of seconds that does not fit means for ever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = chrono::DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    Some((until - now).to_std().unwrap_or_default())
}

/// Exponential backoff: the bound of a wait doubles with each failure, up to a limit.
///
/// The caller passes a random number from 0 to 1. It spreads the retries of exporters that failed
/// at the same moment, and tests can fix it.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// A backoff with the bound after the first failure, and the largest bound.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// A wait with full jitter: between zero and the bound after `earlier` failures and one more.
    #[must_use]
    pub fn wait(self, earlier: u32, chance: f64) -> Duration {
        self.bound(earlier).mul_f64(chance)
    }

    /// A wait with half the jitter: at least half of the bound.
    #[must_use]
    pub fn steady_wait(self, earlier: u32, chance: f64) -> Duration {
        self.bound(earlier).mul_f64(0.5 + chance / 2.0)
    }

    fn bound(self, earlier: u32) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(earlier)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_seconds_or_until_a_date() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("Fri, 02 Jan 2026 03:05:05 GMT", Some(60)),
            ("Fri, 02 Jan 2026 03:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("soon", None),
            ("-1", None),
            ("+5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn waits_double_up_to_the_limit_and_use_all_of_their_range() {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        for (earlier, millis) in
            [(0, 500), (1, 1000), (3, 4000), (6, 30_000), (20, 30_000), (u32::MAX, 30_000)]
        {
            let bound = Duration::from_millis(millis);
            assert_eq!(backoff.wait(earlier, 1.0), bound);
            assert_eq!(backoff.wait(earlier, 0.0), Duration::ZERO);
            assert_eq!(backoff.steady_wait(earlier, 0.0), bound / 2);
            assert_eq!(backoff.steady_wait(earlier, 1.0), bound);
        }
    }
}
