//! The only place that reads the wall clock.

use chrono::SubsecRound;

use crate::domain::Timestamp;

/// The current moment in UTC, in microseconds: databases store no finer one, and a stored moment
/// must be equal when it is loaded.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one allowed call")]
pub fn now() -> Timestamp {
    chrono::Utc::now().trunc_subsecs(6)
}
