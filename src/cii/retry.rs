//! When a failed request is sent again: exponential backoff with full jitter.

use std::time::Duration;

use super::{ApiError, budget::PATIENCE};

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before the attempt after `attempt` (the first is 0); nothing
/// when another attempt can make no difference, or the service wants to be left
/// alone for longer than is worth waiting.
///
/// The wait is by chance between nothing and twice the bound of the attempt
/// before, so that many who failed together do not come back together. What the
/// service asks for with `Retry-After` comes on top.
pub(super) fn wait(error: &ApiError, attempt: u32) -> Option<Duration> {
    let asked_for = error.retry_after().unwrap_or_default();
    if !error.is_transient() || asked_for > PATIENCE {
        return None;
    }
    let bound = FIRST.saturating_mul(2_u32.saturating_pow(attempt)).min(LONGEST);
    Some(asked_for + bound.mul_f64(fastrand::f64()))
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
    fn waits_grow_up_to_a_bound_and_use_all_of_the_range() {
        let waits = |attempt| {
            let error = ApiError::Http(HttpError::Timeout);
            (0..1000).map(move |_| wait(&error, attempt).unwrap())
        };
        for (attempt, bound) in [(0, 500), (1, 1000), (3, 4000), (20, 30_000), (99, 30_000)] {
            let bound = Duration::from_millis(bound);
            assert!(waits(attempt).all(|wait| wait <= bound));
            assert!(waits(attempt).any(|wait| wait < bound / 4));
            assert!(waits(attempt).any(|wait| wait > bound * 3 / 4));
        }
    }

    #[test]
    fn what_the_service_asks_for_is_kept_and_what_cannot_succeed_is_not_repeated() {
        assert!(wait(&throttled(9), 0).unwrap() >= Duration::from_secs(9));
        assert_eq!(wait(&throttled(600), 0), None);
        assert_eq!(wait(&ApiError::Unauthorized, 0), None);
        assert_eq!(wait(&ApiError::Malformed("x".into()), 0), None);
    }
}
