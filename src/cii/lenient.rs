//! Values of an answer, read wherever a reading is plain.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

use crate::domain::{Timestamp, cut_text, sensible};

/// Bytes of a text at most; it becomes a label, or stands on a page.
pub(super) const MAX_TEXT_BYTES: usize = 1024;

/// A text that says something; a number is its digits. Anything else is unknown.
pub(super) fn read_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            Some(cut_text(text, MAX_TEXT_BYTES).into_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The same in lower case and without white space around it.
pub(super) fn read_lowercase(value: &Value) -> Option<String> {
    read_text(value).map(|text| text.trim().to_lowercase())
}

/// The texts of a list without those that are empty, and whether the list is
/// whole: null, or an element that cannot be read, makes it part of one.
/// Nothing when it is no list.
pub(super) fn read_texts(value: &Value) -> Option<(BTreeSet<String>, bool)> {
    let items = value.as_array()?;
    let is_plain = |item: &Value| item.is_string() || item.is_number();
    Some((items.iter().filter_map(read_text).collect(), items.iter().all(is_plain)))
}

/// An `AWSDateTime`; a text that is none says nothing.
pub(super) fn read_moment(value: &Value) -> Option<Timestamp> {
    let moment = DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok()?;
    Some(sensible(moment.to_utc()))
}

/// Whether a value is null, or a list without elements: beside an error, both
/// can mean that the value was not told.
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
