//! Rows that no reader expects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is odd about a row of a list. The field that identifies the row is `login`, or
/// `integrationId` where there is no login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// It is null.
    Null,
    /// It is null, and an error says so.
    NullWithError,
    /// Its identifying field is an empty text.
    EmptyLogin,
    /// Its identifying field has 600 characters.
    LongLogin,
    /// Its identifying field is null, with an error.
    RefusedLogin,
    /// This field of it has this value.
    Set(String, Value),
}
