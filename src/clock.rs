//! The only place that reads the wall clock.

use chrono::SubsecRound;

use crate::domain::Timestamp;

/// The present moment in UTC, to the microsecond: a moment that was stored and loaded
/// again is equal to what it was.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one allowed call")]
pub fn now() -> Timestamp {
    chrono::Utc::now().trunc_subsecs(6)
}
