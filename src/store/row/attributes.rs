//! Attributes of events, as a JSON object.

use super::{Unreadable, from_json, to_json};
use crate::domain::Attributes;

/// The stored form.
pub(in crate::store) fn encode(attributes: &Attributes) -> String {
    to_json(attributes)
}

/// The attributes of a stored form.
pub(in crate::store) fn decode(json: &str) -> Result<Attributes, Unreadable> {
    from_json(json)
}
