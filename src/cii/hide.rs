//! Removes secrets from texts of the service, which may echo the request.

use serde_json::Value;

use crate::domain::CUT;

/// From this many characters on, the end of a truncated text counts as the beginning of the secret.
const LEAST: usize = 4;

/// Replaces a secret by `mark`: verbatim, escaped as JSON, and its beginning at the end of a
/// truncated text.
pub(super) fn hide_secret(text: &str, secret: &str, mark: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = matched_length(rest, secret);
        hidden.push_str(if length.is_some() { mark } else { &rest[..next.len_utf8()] });
        rest = &rest[length.unwrap_or(next.len_utf8())..];
    }
    hidden
}

/// The length of the secret, or of its truncated beginning, at the start of a text. Backslashes
/// that the secret does not have are skipped, because nested JSON adds any number of them.
fn matched_length(text: &str, secret: &str) -> Option<usize> {
    // A backslash before the first character belongs to the text.
    if !text.starts_with(secret.chars().next()?) {
        return None;
    }
    let mut rest = text;
    for (position, wanted) in secret.chars().enumerate() {
        let bare = rest.trim_start_matches('\\');
        match rest.strip_prefix(wanted).or_else(|| bare.strip_prefix(wanted)) {
            Some(after) => rest = after,
            None if position >= LEAST && bare.chars().eq([CUT]) => {
                return Some(text.len() - CUT.len_utf8());
            }
            None => return None,
        }
    }
    Some(text.len() - rest.len())
}

/// Replaces a secret in all strings and names of a value.
pub(super) fn hide_in_value(value: Value, secret: &str, mark: &str) -> Value {
    match value {
        Value::String(text) => hide_secret(&text, secret, mark).into(),
        Value::Array(list) => {
            list.into_iter().map(|inner| hide_in_value(inner, secret, mark)).collect()
        }
        Value::Object(object) => object
            .into_iter()
            .map(|(name, inner)| {
                (hide_secret(&name, secret, mark), hide_in_value(inner, secret, mark))
            })
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_that_a_text_can_have_it_in() {
        for (text, expected) in [
            (r#"a k"e\y! b"#, "a [x] b"),
            (r#"{"a":"k\"e\\y!"}"#, r#"{"a":"[x]"}"#),
            (r#""{\"a\":\"k\\\"e\\\\y!\"}""#, r#""{\"a\":\"[x]\"}""#),
            ("nothing, k", "nothing, k"),
            (r#"was cut at k"e\y…"#, "was cut at [x]…"),
            (r#"was cut at k\"e\\y…"#, "was cut at [x]…"),
            ("was cut at k…", "was cut at k…"),
            (r#"not cut at k"e\y"#, r#"not cut at k"e\y"#),
        ] {
            assert_eq!(hide_secret(text, r#"k"e\y!"#, "[x]"), expected);
        }
        assert_eq!(hide_secret("text", "", "[x]"), "text");
        let value = json!({ "the key": ["the key", 7, { "a": "my the key" }] });
        assert_eq!(
            hide_in_value(value, "the key", "[x]"),
            json!({ "[x]": ["[x]", 7, { "a": "my [x]" }] })
        );
    }
}
