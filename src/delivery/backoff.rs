//! How long to wait after a failure.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// The longest wait that a collector can ask for.
const MOST_PATIENT: Duration = Duration::from_mins(5);

/// Exponential, with full jitter: collectors that come back are not met by all
/// their senders at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure; never shorter than the collector asked.
    pub(super) fn after_failure(&mut self, retry_after: Option<Duration>) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        let asked = retry_after.unwrap_or_default().min(MOST_PATIENT);
        asked.max(longest.mul_f64(jitter()))
    }
}

/// A number from 0 to 1. The standard library's hasher is seeded at random,
/// which is all that a jitter needs.
fn jitter() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(u32::MAX);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_to_a_limit_and_honours_the_collector() {
        let mut backoff = Backoff::default();
        assert!(backoff.after_failure(None) <= FIRST);
        for _ in 0..50 {
            assert!(backoff.after_failure(None) <= LONGEST);
        }
        let asked = Duration::from_mins(1);
        assert_eq!(backoff.after_failure(Some(asked)), asked);
        assert_eq!(backoff.after_failure(Some(Duration::from_secs(9999))), MOST_PATIENT);
    }
}
