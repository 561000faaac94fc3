//! How long failures lasted: `[counts by bucket, microseconds in all]` as JSON.

use super::{Unreadable, from_json, to_json};
use crate::domain::failure::Durations;

/// The stored form.
pub(in crate::store) fn encode(durations: &Durations) -> String {
    to_json(&(durations.counts(), durations.micros()))
}

/// Reads the stored form.
pub(in crate::store) fn decode(json: &str) -> Result<Durations, Unreadable> {
    let (counts, micros) = from_json(json)?;
    Ok(Durations::new(counts, micros))
}
