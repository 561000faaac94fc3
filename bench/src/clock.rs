//! The one place that reads the wall clock. Durations are measured with `Instant`.

use chrono::{DateTime, Utc};

/// The present moment, in UTC.
#[expect(clippy::disallowed_methods, reason = "this is the function that the others call instead")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
