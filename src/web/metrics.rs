//! `/metrics`

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Ops, body, negotiate};
use crate::metrics::Coding;

/// Tells caches which request headers select the format and the coding.
const VARY: (HeaderName, HeaderValue) =
    (header::VARY, HeaderValue::from_static("accept, accept-encoding"));

pub(super) async fn scrape(State(ops): State<Arc<Ops>>, headers: HeaderMap) -> Response {
    let (format, coding) =
        (negotiate::preferred_format(&headers), negotiate::preferred_coding(&headers));
    let frames = match ops.sources.exposition.scrape(format, coding).await {
        Ok(frames) => frames,
        Err(error) => {
            tracing::error!(%error, "a scrape cannot be answered");
            return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
        }
    };
    ops.record_scrape();
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    let mut response =
        ([VARY, content_type], body::from_frames(frames.into_frames())).into_response();
    if coding == Coding::Gzip {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    response
}
