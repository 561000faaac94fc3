//! Fuzz targets: properties of all answers of the service, and of their headers.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;

use super::{
    batch,
    exchange::{MAX_RETRY_AFTER, retry_after},
    graphql::Answer,
    json, lenient, queries, token,
};
use crate::domain::Timestamp;

/// Access tokens that an answer may repeat, but no error may. The second one is valid in a header.
const TOKENS: [&str; 2] = ["t0ken-of-the-client", r#"t0ken"of\the-client"#];

/// A secret that a request may contain in addition to the token.
const SECRET: &str = r#"s3cret"of\the-target"#;

/// Most elements of a list, as of `api.max_answer_items`.
const MAX_ITEMS: usize = 50;

/// Most bytes of an error's text, however long the service's text is.
const MAX_ERROR_BYTES: usize = 8 * 1024;

/// Reads a body as the answer to each request.
///
/// # Panics
/// When a property is violated.
pub(crate) fn read_answer(body: &[u8]) {
    token::fuzz::check_grant(body);
    for token in TOKENS {
        let errors = match Answer::parse(body, false, token, MAX_ITEMS) {
            Ok(answer) => {
                assert!(answer.errors.len() <= MAX_ITEMS, "more errors than are allowed");
                assert!(
                    !contains_token(&format!("{:?}", answer.errors), token),
                    "an error has the token"
                );
                let mut errors = queries::fuzz::read(&answer);
                errors.extend(batch::fuzz::sort_any(&answer));
                errors
            }
            Err(error) => vec![error],
        };
        for error in errors {
            // Not even the beginning of a secret may remain.
            let without = error.clone().without_secret(SECRET).to_string();
            assert!(
                !contains_token(&without, &SECRET[..SECRET.len() / 2]),
                "an error has the secret: {without}"
            );
            let text = error.to_string();
            assert!(!contains_token(&text, token), "an error has the token: {text}");
            assert!(text.len() <= MAX_ERROR_BYTES, "an error of {} bytes", text.len());
        }
    }
}

/// Whether a text contains the token, verbatim or escaped by nested JSON.
fn contains_token(text: &str, token: &str) -> bool {
    let escaped = |form: &String| Some(form.replace('\\', "\\\\").replace('"', "\\\""));
    std::iter::successors(Some(token.to_owned()), escaped).take(4).any(|form| text.contains(&form))
}

/// Checks that valid JSON is read unchanged, and that any other text becomes at most a string.
///
/// # Panics
/// When a property is violated.
pub(crate) fn read_json(bytes: &[u8]) {
    let Ok(value) = json::parse_with_odd_numbers(bytes) else { return };
    if let Ok(plain) = serde_json::from_slice::<Value>(bytes) {
        assert_eq!(value, plain, "a valid document was mended");
    }
    // Fractions are not compared: their last digit may differ.
    assert!(json::parse(value.to_string().as_bytes()).is_ok(), "{value}");
}

/// Reads a moment as a leaf of an answer.
pub(crate) fn read_moment(text: &str) -> Option<Timestamp> {
    lenient::read_moment(&Value::from(text))
}

/// Reads `Retry-After`, and checks its limit.
///
/// # Panics
/// When a property is violated.
pub(crate) fn read_retry_after(text: &[u8]) -> Option<Duration> {
    let value = HeaderValue::from_bytes(text).ok()?;
    let wait = retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]))?;
    assert!(wait <= MAX_RETRY_AFTER, "the service can ask for {wait:?}");
    Some(wait)
}
