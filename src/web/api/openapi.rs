//! `/api/v1/openapi.json`: the API, described for programs.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// An `OpenAPI` 3.1 document, held against the answers by the tests.
const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
