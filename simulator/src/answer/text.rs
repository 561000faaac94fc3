//! What a JSON value cannot hold, and services write all the same.
//!
//! It stands in values as marks out of Unicode's private area, and is put in place when the
//! answer is written down.

use serde_json::Value;

/// One half of a surrogate pair at the end of a text.
pub(super) const CUT_EMOJI: &str = "\u{f8f0}";

/// A number that no double holds.
pub(super) const INVALID_NUMBER: &str = "\u{f8f1}";

/// The answer as it is sent.
pub(crate) fn render(answer: &Value) -> String {
    answer
        .to_string()
        .replace(CUT_EMOJI, "\\ud83d")
        .replace(&format!("\"{INVALID_NUMBER}\""), "1e999")
}
