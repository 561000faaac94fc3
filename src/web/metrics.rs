//! `/metrics`

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::Ops;
use crate::metrics::Exposition;

pub(super) async fn scrape(State(ops): State<Arc<Ops>>) -> Response {
    match ops.sources.exposition.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, Exposition::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a scrape cannot be answered");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}
