//! What must hold for every answer of the service, and for every header of one.

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

/// Access tokens that an answer may repeat; no error does. A header may hold the second.
const TOKENS: [&str; 2] = ["t0ken-of-the-client", r#"t0ken"of\the-client"#];

/// A secret that a request may carry beside the token.
const SECRET: &str = r#"s3cret"of\the-target"#;

/// Elements of a list at most, as `api.max_answer_items` says.
const MAX_ITEMS: usize = 50;

/// Bytes of an error's text at most, however long what the service wrote.
const MAX_ERROR_BYTES: usize = 8 * 1024;

/// Reads an answer's body as every answer that there is.
///
/// # Panics
/// When something does not hold that must.
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
            // Of a secret that another request carried, not even the beginning.
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

/// Whether a text has the token: as it is, or as a text of JSON within JSON.
fn contains_token(text: &str, token: &str) -> bool {
    let escaped = |form: &String| Some(form.replace('\\', "\\\\").replace('"', "\\\""));
    std::iter::successors(Some(token.to_owned()), escaped).take(4).any(|form| text.contains(&form))
}

/// What is valid JSON is read as it is; what is not is never more than a text.
///
/// # Panics
/// When something does not hold that must.
pub(crate) fn read_json(bytes: &[u8]) {
    let Ok(value) = json::parse_with_odd_numbers(bytes) else { return };
    if let Ok(plain) = serde_json::from_slice::<Value>(bytes) {
        assert_eq!(value, plain, "a valid document was mended");
    }
    // Not compared: a number with a fraction may come back in another last digit.
    assert!(json::parse(value.to_string().as_bytes()).is_ok(), "{value}");
}

/// Reads a moment as a leaf of an answer.
pub(crate) fn read_moment(text: &str) -> Option<Timestamp> {
    lenient::read_moment(&Value::from(text))
}

/// Reads `Retry-After`; its bound is a promise.
///
/// # Panics
/// When something does not hold that must.
pub(crate) fn read_retry_after(text: &[u8]) -> Option<Duration> {
    let value = HeaderValue::from_bytes(text).ok()?;
    let wait = retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]))?;
    assert!(wait <= MAX_RETRY_AFTER, "the service can ask for {wait:?}");
    Some(wait)
}
