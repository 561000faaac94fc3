//! How the runs of a job ended recently: a JSON list of `[hour since 1970, succeeded, failed]`.

use super::{Unreadable, from_json, to_json};
use crate::domain::run::{RunHour, RunHours};

/// Encodes hours.
pub(in crate::store) fn encode(hours: &RunHours) -> String {
    let stored = |hour: &RunHour| (hour.at, hour.succeeded, hour.failed);
    to_json(&hours.hours().iter().map(stored).collect::<Vec<_>>())
}

/// Decodes hours.
pub(in crate::store) fn decode(json: &str) -> Result<RunHours, Unreadable> {
    let stored: Vec<(i64, u64, u64)> = from_json(json)?;
    let hour = |(at, succeeded, failed)| RunHour { at, succeeded, failed };
    Ok(RunHours::new(stored.into_iter().map(hour).collect()))
}
