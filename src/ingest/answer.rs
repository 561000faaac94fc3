//! The answers of the webhook listener.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::cii::webhook::Malformed;

/// Seconds after which a sender should come back.
const RETRY_AFTER: &str = "5";

/// What a sender is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// On the disk.
    Accepted,
    /// Seen before.
    Duplicate,
    /// About a check that the operator does not want to hear of.
    Filtered,
    /// The console's test message.
    Test,
    /// No secret, or a wrong one.
    Unauthorized,
    /// Not JSON by its content type.
    NotJson,
    /// Packed with something that is not taken, as its header names it.
    Encoded(String),
    /// Not what its content encoding says, or cut off.
    Damaged,
    /// Not what a delivery looks like.
    Malformed(Malformed),
    /// The body did not arrive whole.
    Incomplete,
    /// Longer than this many bytes, as sent or when unpacked.
    TooLarge(usize),
    /// Cannot be committed now.
    Unavailable,
}

impl Answer {
    /// The value of the `result` label.
    pub(super) const fn result(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Test => "test",
            Self::Unauthorized => "unauthorized",
            Self::NotJson
            | Self::Encoded(_)
            | Self::Damaged
            | Self::Malformed(_)
            | Self::Incomplete => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::Unavailable => "unavailable",
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Accepted | Self::Duplicate | Self::Filtered | Self::Test => {
                Json(json!({ "result": self.result() })).into_response()
            }
            Self::Unauthorized => {
                let mut response =
                    problem(StatusCode::UNAUTHORIZED, "the secret is missing or wrong", None);
                let challenge = header::HeaderValue::from_static("ApiKey");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::NotJson => problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a delivery is JSON; send it with the content type application/json",
                None,
            ),
            Self::Encoded(encoding) => {
                let detail = format!(
                    "the content encoding {encoding} is not taken; send the body as it is, or \
                     with gzip alone"
                );
                let mut response = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &detail, None);
                let taken = header::HeaderValue::from_static("gzip");
                response.headers_mut().insert(header::ACCEPT_ENCODING, taken);
                response
            }
            Self::Damaged => {
                let detail = "the body is not whole gzip, as its content encoding says";
                problem(StatusCode::BAD_REQUEST, detail, None)
            }
            Self::Malformed(malformed) => {
                problem(StatusCode::BAD_REQUEST, &malformed.to_string(), malformed.pointer())
            }
            Self::Incomplete => {
                problem(StatusCode::BAD_REQUEST, "the body did not arrive whole", None)
            }
            Self::TooLarge(limit) => {
                let detail = format!(
                    "a delivery may have {limit} bytes (webhook.max_body_bytes), also when unpacked"
                );
                problem(StatusCode::PAYLOAD_TOO_LARGE, &detail, None)
            }
            Self::Unavailable => {
                let detail = "the delivery cannot be recorded now; send it again later";
                let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, detail, None);
                let seconds = header::HeaderValue::from_static(RETRY_AFTER);
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                response
            }
        }
    }
}

/// A problem in the form of RFC 9457.
fn problem(status: StatusCode, detail: &str, pointer: Option<&str>) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    if let Some(pointer) = pointer {
        body["pointer"] = pointer.into();
    }
    let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, content_type, body.to_string()).into_response()
}
