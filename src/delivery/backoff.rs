//! The wait after a batch that the collector did not accept.

use std::time::Duration;

use crate::domain::Backoff;

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
/// The longest wait that a collector can request.
pub(super) const MOST_PATIENT: Duration = Duration::from_mins(5);

/// The number of consecutive failures.
#[derive(Debug, Default)]
pub(super) struct Failures(u32);

impl Failures {
    /// Counts one more failure and returns the wait after it. It is at least what the collector
    /// requested, up to [`MOST_PATIENT`].
    pub(super) fn next_wait(&mut self, retry_after: Option<Duration>) -> Duration {
        let wait = BACKOFF.wait(self.0, fastrand::f64());
        self.0 = self.0.saturating_add(1);
        wait.max(retry_after.unwrap_or_default().min(MOST_PATIENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_honours_the_collector_within_a_limit() {
        let mut failures = Failures::default();
        assert!(failures.next_wait(None) <= Duration::from_millis(500));
        let asked = Duration::from_mins(1);
        assert_eq!(failures.next_wait(Some(asked)), asked);
        assert_eq!(failures.next_wait(Some(Duration::from_secs(9999))), MOST_PATIENT);
    }
}
