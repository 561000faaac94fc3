//! JSON as it comes: a document that is broken in the known small ways is
//! mended before it is parsed.
//!
//! Services cut texts in the middle of an emoji, and senders write a byte order
//! mark. Neither must cost the whole document.

use serde_json::Value;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parses a document. One that is not valid is parsed again with these mended:
/// a byte order mark at its start is dropped; bytes that are no UTF-8, and
/// escapes of half a surrogate pair, become U+FFFD; control characters inside a
/// text are escaped. The time is linear in the length, and a valid document
/// means what it says.
///
/// # Errors
/// What is still wrong with the mended document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    // A document that parses is never touched.
    serde_json::from_slice(bytes).or_else(|_| serde_json::from_str(&mend(bytes, Numbers::Strict)))
}

/// As [`parse`], where also a number that JSON cannot tell (`NaN`, `1e999`,
/// `007`) becomes a text: for senders who never send the document again.
///
/// # Errors
/// What is still wrong with the mended document.
pub(crate) fn parse_with_odd_numbers(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    parse(bytes)
        .or_else(|error| serde_json::from_str(&mend(bytes, Numbers::OddAsTexts)).map_err(|_| error))
}

/// What becomes of numbers that JSON does not have.
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

/// The length of what `text` begins with outside of texts, and what to put in its
/// place, if anything: an odd number between quotation marks.
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

/// The length of the escape that `text` begins with, and what to put in its
/// place, if anything.
fn read_escape(text: &str) -> (usize, Option<String>) {
    match read_unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(read_unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some("\\ufffd".to_owned())),
        },
        Some(0xdc00..=0xdfff) => (6, Some("\\ufffd".to_owned())),
        // The character after the backslash must not be taken for the end of
        // the text; of `\u` the four digits are ordinary characters.
        _ => (1 + text.chars().nth(1).map_or(0, char::len_utf8), None),
    }
}

/// The UTF-16 unit that an escape at the start of `text` stands for.
fn read_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
