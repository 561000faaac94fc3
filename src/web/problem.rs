//! Errors of the API, as `application/problem+json` (RFC 9457).

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::store::StoreError;

/// What went wrong, for a person and for a program.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        title: &'static str,
        detail: impl std::fmt::Display,
    ) -> Self {
        Self { status, title, detail: detail.to_string() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request to the API cannot be answered");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The store cannot do this now", error)
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "The body cannot be understood", rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, title, detail } = self;
        let body = json!({ "status": status.as_u16(), "title": title, "detail": detail });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, Json(body).into_response().into_body()).into_response()
    }
}
