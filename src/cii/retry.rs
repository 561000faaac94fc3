//! Delays of retries: exponential backoff with full jitter.

use std::time::Duration;

use super::{ApiError, budget::PATIENCE};
use crate::domain::Backoff;

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));

/// The delay before the attempt after `attempt` (the first is 0). `None` when a retry is useless,
/// or the service asks for a pause that is too long to wait for.
///
/// The delay is random between 0 and a bound that doubles with each attempt, so that requests that
/// failed together do not return together. A `Retry-After` of the service is added.
pub(super) fn retry_delay(error: &ApiError, attempt: u32) -> Option<Duration> {
    let asked_for = error.retry_after().unwrap_or_default();
    if !error.is_transient() || asked_for > PATIENCE {
        return None;
    }
    Some(asked_for + BACKOFF.wait(attempt, fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cii::HttpError;

    fn throttled(seconds: u64) -> ApiError {
        let retry_after = Some(Duration::from_secs(seconds));
        ApiError::Http(HttpError::Throttled { retry_after })
    }

    #[test]
    fn what_the_service_asks_for_is_kept_and_what_cannot_succeed_is_not_repeated() {
        assert!(retry_delay(&throttled(9), 0).unwrap() >= Duration::from_secs(9));
        assert_eq!(retry_delay(&throttled(600), 0), None);
        assert_eq!(retry_delay(&ApiError::Unauthorized, 0), None);
        assert_eq!(retry_delay(&ApiError::Malformed("x".into()), 0), None);
    }
}
