//! Lists of texts, as a JSON list.

use super::{Unreadable, from_json, to_json};

/// Encodes texts.
pub(in crate::store) fn encode<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    to_json(&texts.into_iter().collect::<Vec<_>>())
}

/// Encodes texts, with NULL for an empty list, which most of these are.
pub(in crate::store) fn encode_some<'a>(
    texts: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let texts: Vec<_> = texts.into_iter().collect();
    (!texts.is_empty()).then(|| to_json(&texts))
}

/// Decodes texts.
pub(in crate::store) fn decode<C: FromIterator<String>>(json: &str) -> Result<C, Unreadable> {
    Ok(from_json::<Vec<String>>(json)?.into_iter().collect())
}
