//! The answers of the webhook listener.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Outcome;
use crate::{
    cii::webhook::Malformed,
    ledger::change::{DeliveryOutcome, RecordedDelivery},
};

/// Seconds after which a sender should retry a 503.
const RETRY_AFTER: &str = "5";

/// The reason of a refusal for damaged gzip.
pub(super) const DAMAGED: &str = "the body is not whole gzip, as its content encoding says";

/// The answer to a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// The delivery is recorded, now or before.
    Taken(RecordedDelivery),
    /// The credential is missing or wrong.
    Unauthorized {
        /// The places where a credential is expected, as text.
        expected: String,
        /// The challenges of `WWW-Authenticate`.
        challenges: Vec<&'static str>,
    },
    /// The sender is outside `webhook.allow_from`.
    Elsewhere,
    /// The content type is not JSON.
    NotJson,
    /// The content encoding is not supported; the text is its name.
    Encoded(String),
    /// The body does not match its content encoding, or is truncated.
    Damaged,
    /// The body is no delivery.
    Malformed(Malformed),
    /// The body did not arrive completely.
    Incomplete,
    /// The body is longer than this many bytes, as sent or when unpacked.
    TooLarge(usize),
    /// The delivery cannot be committed now.
    Unavailable,
}

impl Answer {
    /// The outcome that the metrics count.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Taken(recorded) => match recorded.outcome {
                DeliveryOutcome::Accepted { .. } => Outcome::Accepted,
                DeliveryOutcome::Duplicate => Outcome::Duplicate,
                DeliveryOutcome::Filtered => Outcome::Filtered,
                DeliveryOutcome::Test => Outcome::Test,
            },
            Self::Unauthorized { .. } | Self::Elsewhere => Outcome::Unauthorized,
            Self::NotJson
            | Self::Encoded(_)
            | Self::Damaged
            | Self::Malformed(_)
            | Self::Incomplete => Outcome::Malformed,
            Self::TooLarge(_) => Outcome::TooLarge,
            Self::Unavailable => Outcome::Unavailable,
        }
    }

    /// The status and reason to record of a refusal. An unauthorized request is not recorded: any
    /// sender could fill the list.
    pub(super) fn refusal(&self) -> Option<(StatusCode, String)> {
        match self {
            Self::Taken(_) | Self::Unauthorized { .. } | Self::Elsewhere => None,
            refused => Some((refused.status(), refused.detail())),
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Taken(_) => StatusCode::OK,
            Self::Unauthorized { .. } | Self::Elsewhere => StatusCode::UNAUTHORIZED,
            Self::NotJson | Self::Encoded(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Damaged | Self::Malformed(_) | Self::Incomplete => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn detail(&self) -> String {
        match self {
            Self::Taken(recorded) => recorded.outcome.as_str().to_owned(),
            Self::Unauthorized { expected, .. } => {
                format!("the secret is missing, wrong or given twice; expected is {expected}")
            }
            Self::Elsewhere => {
                "no deliveries are taken from this network (webhook.allow_from)".to_owned()
            }
            Self::NotJson => {
                "a delivery is JSON; send it with the content type application/json".to_owned()
            }
            Self::Encoded(encoding) => format!(
                "the content encoding {encoding} is not taken; send the body as it is, or with \
                 gzip alone"
            ),
            Self::Damaged => DAMAGED.to_owned(),
            Self::Malformed(malformed) => malformed.to_string(),
            Self::Incomplete => "the body did not arrive whole".to_owned(),
            Self::TooLarge(limit) => format!(
                "a delivery may have {limit} bytes (webhook.max_body_bytes), also when unpacked"
            ),
            Self::Unavailable => {
                "the delivery cannot be recorded now; send it again later".to_owned()
            }
        }
    }

    fn pointer(&self) -> Option<&str> {
        match self {
            Self::Malformed(malformed) => malformed.pointer(),
            _ => None,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if let Self::Taken(recorded) = &self {
            let reason = recorded.unchanged.map(|unchanged| unchanged.to_string());
            let body = json!({
                "result": self.outcome().into_str(), "delivery": recorded.number, "reason": reason,
            });
            return Json(body).into_response();
        }
        let mut response = problem_response(self.status(), &self.detail(), self.pointer());
        let (name, value) = match self {
            Self::Unauthorized { challenges, .. } => {
                for challenge in challenges {
                    let value = header::HeaderValue::from_static(challenge);
                    response.headers_mut().append(header::WWW_AUTHENTICATE, value);
                }
                return response;
            }
            Self::Encoded(_) => (header::ACCEPT_ENCODING, "gzip"),
            Self::Unavailable => (header::RETRY_AFTER, RETRY_AFTER),
            _ => return response,
        };
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
        response
    }
}

/// An answer with problem details (RFC 9457).
pub(super) fn problem_response(
    status: StatusCode,
    detail: &str,
    pointer: Option<&str>,
) -> Response {
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
