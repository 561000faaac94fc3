//! Detects placeholders of examples that were not replaced.

use super::{
    key::KEYS,
    problem::Problems,
    settings::{Settings, Value},
};

/// Usual placeholders, in lower case, with words joined by `-`.
const PLACEHOLDERS: [&str; 14] = [
    "changeit",
    "changeme",
    "change-it",
    "change-me",
    "client-id",
    "client-secret",
    "fixme",
    "placeholder",
    "replaceme",
    "replace-me",
    "tbd",
    "the-client-id",
    "the-client-secret",
    "todo",
];

/// Settings besides secrets that examples leave to be filled in.
const FILLED_IN: [&str; 6] = [
    "api.client_id",
    "api.token_url",
    "api.url",
    "ops.public_url",
    "otlp.endpoint",
    "webhook.public_url",
];

/// Reports settings with a placeholder. A placeholder as a secret would be public, and one in the
/// API's credentials would fail only at the first request.
pub(super) fn refuse_placeholders(settings: &Settings, problems: &mut Problems) {
    for key in KEYS {
        if key.file.is_none() && !FILLED_IN.contains(&key.path) {
            continue;
        }
        let Some(entry) = settings.get(key.path) else { continue };
        let is_unfilled = match &entry.value {
            Value::Text(text) => is_placeholder(text),
            Value::List(texts) => texts.iter().any(|text| is_placeholder(text)),
            Value::Flag(_) | Value::Integer(_) => false,
        };
        if is_unfilled && !problems.has_problem(key.path) {
            problems.add(
                Some(&entry.origin),
                key.path,
                "still holds a placeholder, as an example has it; put your own value there",
            );
        }
    }
}

/// Whether a text is a placeholder.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    let text = text.trim().to_lowercase().replace(['_', ' '], "-");
    let is_dots = !text.is_empty() && text.chars().all(|c| c == '.');
    let is_crossed = text.len() >= 3 && text.chars().all(|c| c == 'x');
    let is_bracketed = text.starts_with('<') && text.ends_with('>')
        || text.contains("://") && text.split_once('<').is_some_and(|(_, rest)| rest.contains('>'));
    let is_yours = text.starts_with("your-")
        && ["-id", "-secret", "-token", "-password", "-key"].iter().any(|end| text.ends_with(end));
    text.contains('\u{2026}')
        || is_dots
        || is_crossed
        || is_bracketed
        || is_yours
        || PLACEHOLDERS.contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_example_holds_is_told_from_what_somebody_made() {
        for text in [
            "\u{2026}",
            "...",
            " ChangeMe ",
            "change_me",
            "the-client-id",
            "<secret>",
            "xxxx",
            "your_client_secret",
            "https://\u{2026}",
            "https://<tenant>.example.com/graphql",
            "authorization=Bearer%20\u{2026}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["", "s", "x", "changeme7", "yours", "a.b", "https://api.oort.io", "9f8b<>"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
