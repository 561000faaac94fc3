//! The only place that reads the wall clock.

use crate::domain::Timestamp;

/// The present moment in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one allowed call")]
pub fn now() -> Timestamp {
    chrono::Utc::now()
}
