//! Reads JSON values of an unusual type, where the meaning is unambiguous.

use serde_json::{Map, Value};

use super::notes::{Notes, quote};
use crate::{cii::json, domain::cut_text};

/// Most bytes of a secondary field; no title or account is that long.
const MAX_TEXT_BYTES: usize = 1024;

/// Most bytes of a sentence of a description or an advice.
const MAX_SENTENCE_BYTES: usize = 4096;

/// Most sentences of either.
const MAX_SENTENCES: usize = 100;

/// The fields in which an object has its text.
const TEXT_FIELDS: [&str; 3] = ["en", "text", "value"];

/// Finds the field of this name; `null` counts as missing. The service's documentation has
/// inconsistent spellings (`recommended Actions`), so without an exact match, case, spaces, `_` and
/// `-` are ignored.
pub(super) fn find_field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = object.get(name).filter(|value| !value.is_null());
    exact.or_else(|| {
        let same = |key: &str| normalized_letters(key).eq(normalized_letters(name));
        object.iter().find(|(key, value)| !value.is_null() && same(key)).map(|(_, value)| value)
    })
}

fn normalized_letters(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase())
}

/// Reads a text: a string as it is, anything else by its most obvious reading.
pub(super) fn read_text(value: Option<&Value>, place: &str, notes: &mut Notes) -> Option<String> {
    let value = value?;
    let text = match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty())?,
        other => {
            let text = plainest_text(other);
            let read = text
                .as_deref()
                .map_or("not read".to_owned(), |text| format!("read as {}", quote(text)));
            notes.add(place, format_args!("{}, {read}", type_name(other)));
            text?
        }
    };
    Some(cut_with_note(text, MAX_TEXT_BYTES, place, notes))
}

/// Reads sentences from a list or a single text; empty ones are dropped.
pub(super) fn read_sentences(value: Option<&Value>, place: &str, notes: &mut Notes) -> Vec<String> {
    let Some(value) = value else { return Vec::new() };
    let mut odd = 0_usize;
    let texts = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list
            .iter()
            .flat_map(|entry| {
                odd += usize::from(!entry.is_string() && !entry.is_null());
                spread_texts(entry)
            })
            .collect(),
        other => {
            notes.add(place, format_args!("{}, read as text", type_name(other)));
            spread_texts(other)
        }
    };
    if odd > 0 {
        notes.add(place, format_args!("entries that are no texts, read as texts: {odd}"));
    }
    let mut texts: Vec<_> = texts.into_iter().filter(|text| !text.trim().is_empty()).collect();
    if texts.len() > MAX_SENTENCES {
        notes.add(place, format_args!("more than {MAX_SENTENCES} texts, the others left out"));
        texts.truncate(MAX_SENTENCES);
    }
    texts.into_iter().map(|text| cut_with_note(text, MAX_SENTENCE_BYTES, place, notes)).collect()
}

/// Returns the text, cut with a note when it is too long.
pub(super) fn cut_with_note(text: String, most: usize, place: &str, notes: &mut Notes) -> String {
    if text.len() <= most {
        return text;
    }
    notes.add(place, format_args!("longer than {most} bytes, cut"));
    cut_text(&text, most).into_owned()
}

/// The texts of a value.
fn spread_texts(value: &Value) -> Vec<String> {
    let inner = match value {
        Value::Array(_) => Some(value),
        Value::Object(object) => wrapped_value(object).filter(|inner| inner.is_array()),
        _ => None,
    };
    match inner {
        Some(Value::Array(list)) => list.iter().filter_map(plainest_text).collect(),
        _ => plainest_text(value).into_iter().collect(),
    }
}

/// The most obvious text of a value: the text inside an object, the first text of a list, else the
/// value as JSON. `None` when it is empty.
pub(super) fn plainest_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(list) => {
            let first = list.iter().find(|entry| entry.is_string());
            first.or_else(|| list.iter().find(|entry| !entry.is_null())).and_then(plainest_text)
        }
        Value::Object(object) if object.is_empty() => None,
        Value::Object(object) => match wrapped_value(object) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => Some(value.to_string()),
        },
    }
}

/// The value that an object wraps: its English text, else its only text or list.
fn wrapped_value(object: &Map<String, Value>) -> Option<&Value> {
    let is_text = |value: &&Value| match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    TEXT_FIELDS.iter().find_map(|name| object.get(*name).filter(is_text)).or_else(|| {
        let mut texts = object.values().filter(is_text);
        let only = texts.next();
        only.filter(|_| texts.next().is_none())
    })
}

/// Parses a text that contains a list or an object as JSON.
pub(super) fn parse_embedded_json(text: &str) -> Option<Value> {
    let text = text.trim().trim_start_matches('\u{feff}');
    text.starts_with(['{', '[']).then(|| json::parse(text.as_bytes()).ok()).flatten()
}

/// The name of a value's JSON type, for messages.
pub(super) const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
