//! Reads values of an answer leniently, where the meaning is unambiguous.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

use crate::domain::{Timestamp, cut_text, sensible};

/// Most bytes of a text, which becomes a label or is shown on a page.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// Reads a non-empty text; a number is read as its digits. `None` for anything else.
pub(super) fn read_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            Some(cut_text(text, MAX_TEXT_BYTES).into_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The same, trimmed and in lower case.
pub(super) fn read_lowercase(value: &Value) -> Option<String> {
    read_text(value).map(|text| text.trim().to_lowercase())
}

/// Reads the non-empty texts of a list, and whether the list is complete: it is not when an element
/// is null or unreadable. `None` when the value is no list.
pub(super) fn read_texts(value: &Value) -> Option<(BTreeSet<String>, bool)> {
    let items = value.as_array()?;
    let is_plain = |item: &Value| item.is_string() || item.is_number();
    Some((items.iter().filter_map(read_text).collect(), items.iter().all(is_plain)))
}

/// Reads an `AWSDateTime`; `None` for any other text.
pub(super) fn read_moment(value: &Value) -> Option<Timestamp> {
    let moment = DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok()?;
    Some(sensible(moment.to_utc()))
}

/// Whether a value is null or an empty list. Together with an error, both can mean that the value
/// is missing.
pub(super) fn is_void(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_leaf_of_another_type_is_read_where_that_is_plain() {
        assert_eq!(read_text(&json!(17)), Some("17".to_owned()));
        assert_eq!(read_lowercase(&json!(" SNOWFLAKE ")), Some("snowflake".to_owned()));
        for odd in [json!(null), json!(" "), json!([]), json!({ "a": 1 }), json!(true)] {
            assert_eq!((read_text(&odd), read_moment(&odd)), (None, None), "{odd}");
        }
        assert!(read_text(&json!("x".repeat(5000))).unwrap().ends_with("x…"));
        assert_eq!(read_moment(&json!("yesterday")), None);
        let never = read_moment(&json!("9999-12-31T23:59:59Z"));
        assert_eq!(never, read_moment(&json!("2261-12-31T23:59:59Z")));
    }

    #[test]
    fn a_list_with_an_element_that_cannot_be_read_is_not_whole() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(read_texts(&json!(["a", "", 1])), Some((set(&["a", "1"]), true)));
        assert_eq!(read_texts(&json!(["a", null])), Some((set(&["a"]), false)));
        assert_eq!(read_texts(&json!(["a", {}])), Some((set(&["a"]), false)));
        assert_eq!(read_texts(&json!("a")), None);
    }
}
