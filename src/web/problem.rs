//! HTTP errors as problem details (RFC 9457), each with what to do about it.

use axum::{
    extract::rejection::JsonRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::store::StoreError;

/// Seconds after which a client should retry a 503.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, detail: detail.into() }
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this path does not take the method; /api/v1/openapi.json lists what it takes";
        Self { status: StatusCode::METHOD_NOT_ALLOWED, detail: detail.to_owned() }
    }

    /// The state of the resource prevents the request; `detail` says how.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, detail: detail.into() }
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail: detail.into() }
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, detail: detail.into() }
    }

    /// Splits the problem into status and detail, for an HTML answer.
    pub(super) fn into_parts(self) -> (StatusCode, String) {
        (self.status, self.detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Closed | StoreError::Busy) {
            return Self::unavailable("the daemon is stopping or too busy; ask again later");
        }
        tracing::error!(%error, "the store cannot be read");
        let detail = format!("{error}; the daemon's log and cii_store_* tell more");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self { status: rejection.status(), detail: rejection.body_text() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, body.to_string()).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
