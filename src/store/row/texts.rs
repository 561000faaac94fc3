//! Lists of texts, as a JSON list.

use super::{Unreadable, from_json, to_json};

/// The stored form.
pub(in crate::store) fn encode<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    to_json(&texts.into_iter().collect::<Vec<_>>())
}

/// The stored form of a list that is mostly empty: nothing then.
pub(in crate::store) fn encode_some<'a>(
    texts: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let texts: Vec<_> = texts.into_iter().collect();
    (!texts.is_empty()).then(|| to_json(&texts))
}

/// The texts of a stored form.
pub(in crate::store) fn decode<C: FromIterator<String>>(json: &str) -> Result<C, Unreadable> {
    Ok(from_json::<Vec<String>>(json)?.into_iter().collect())
}
