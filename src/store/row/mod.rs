//! The stored forms of values without columns of their own: JSON, or compressed bytes.
//!
//! They are separate from the domain's types, so that a renamed field there does not change stored
//! rows. A changed form gets a new number in the column `form` of its table, and the old one stays
//! readable.

pub(in crate::store) mod attributes;
pub(in crate::store) mod body;
pub(in crate::store) mod check_set;
pub(in crate::store) mod durations;
pub(in crate::store) mod exchange;
mod explanation;
pub(in crate::store) mod figures;
pub(in crate::store) mod ip_users;
mod moment;
pub(in crate::store) mod poll_errors;
pub(in crate::store) mod redact;
pub(in crate::store) mod run_hours;
pub(in crate::store) mod texts;
pub(in crate::store) mod touched;
pub(in crate::store) mod trend;
pub(in crate::store) mod user_state;

pub(in crate::store) use super::error::Unreadable;

/// Decodes JSON.
fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Unreadable> {
    Ok(serde_json::from_str(json)?)
}

/// Encodes JSON. It cannot fail, because stored forms have only texts as keys.
fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
