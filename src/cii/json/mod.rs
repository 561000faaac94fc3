//! Lenient JSON: repairs common defects of a document before it is parsed.
//!
//! Services truncate texts in the middle of an emoji, and senders write a byte order mark. Neither
//! may make the whole document unreadable.

use serde_json::Value;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a document. An invalid one is repaired and parsed again: a byte order mark at its start
/// is removed; invalid UTF-8 and escapes of half a surrogate pair become U+FFFD; control characters
/// inside strings are escaped. The time is linear in the length, and a valid document is never
/// changed.
///
/// # Errors
/// When the repaired document is still invalid.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    // A valid document is not repaired.
    serde_json::from_slice(bytes).or_else(|_| serde_json::from_str(&mend(bytes, Numbers::Strict)))
}

/// As [`parse`], but a number that JSON does not allow (`NaN`, `1e999`, `007`) becomes a string:
/// for senders that do not repeat a document.
///
/// # Errors
/// When the repaired document is still invalid.
pub(crate) fn parse_with_odd_numbers(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    parse(bytes)
        .or_else(|error| serde_json::from_str(&mend(bytes, Numbers::OddAsTexts)).map_err(|_| error))
}

/// How numbers that JSON does not allow are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbers {
    Strict,
    OddAsTexts,
}

fn mend(bytes: &[u8], numbers: Numbers) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
    let mut mended = String::with_capacity(rest.len());
    let mut is_in_text = false;
    while let Some(next) = rest.chars().next() {
        let (taken, put) = match next {
            '"' => {
                is_in_text = !is_in_text;
                (1, None)
            }
            '\\' if is_in_text => read_escape(rest),
            control if is_in_text && control < ' ' => {
                (1, Some(format!("\\u{:04x}", u32::from(control))))
            }
            _ if !is_in_text && numbers == Numbers::OddAsTexts => read_word(rest),
            other => (other.len_utf8(), None),
        };
        let (kept, after) = rest.split_at(taken);
        mended.push_str(put.as_deref().unwrap_or(kept));
        rest = after;
    }
    mended
}

/// Reads a token outside of strings at the start of `text`: its length, and its replacement, if
/// any: an invalid number in quotation marks.
fn read_word(text: &str) -> (usize, Option<String>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let word = &text[..end];
    if word.is_empty() {
        return (text.chars().next().map_or(0, char::len_utf8), None);
    }
    let is_odd = word.parse::<f64>().is_ok() && serde_json::from_str::<f64>(word).is_err();
    (end, is_odd.then(|| format!("\"{word}\"")))
}

/// Reads an escape at the start of `text`: its length, and its replacement, if any.
fn read_escape(text: &str) -> (usize, Option<String>) {
    match read_unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(read_unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some("\\ufffd".to_owned())),
        },
        Some(0xdc00..=0xdfff) => (6, Some("\\ufffd".to_owned())),
        // The character after the backslash is skipped: a quotation mark there does not end the
        // string. The four digits of `\u` are ordinary characters.
        _ => (1 + text.chars().nth(1).map_or(0, char::len_utf8), None),
    }
}

/// The UTF-16 unit of an escape at the start of `text`.
fn read_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
