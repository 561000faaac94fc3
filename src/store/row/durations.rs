//! Durations of failures: `[counts by bucket, total microseconds]` as JSON.

use super::{Unreadable, from_json, to_json};
use crate::domain::failure::Durations;

/// Encodes durations.
pub(in crate::store) fn encode(durations: &Durations) -> String {
    to_json(&(durations.counts(), durations.micros()))
}

/// Decodes durations.
pub(in crate::store) fn decode(json: &str) -> Result<Durations, Unreadable> {
    let (counts, micros) = from_json(json)?;
    Ok(Durations::new(counts, micros))
}
