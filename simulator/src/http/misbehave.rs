//! Answers that go wrong.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;

use crate::faults::Kind;

/// The answer that a fault gives in place of the right one, if it does. `right`
/// is the right answer's body.
pub(super) async fn instead(struck: &[Kind], right: &str) -> Option<Response> {
    for kind in struck {
        let half = || right[..right.len() / 2].to_owned();
        return Some(match kind {
            Kind::Hang => std::future::pending().await,
            Kind::Status(status, retry_after) => status_only(*status, *retry_after),
            Kind::Cut => cut(half()),
            Kind::MalformedJson => json(half()),
            Kind::EmptyBody => json(String::new()),
            Kind::HtmlPage => Html("<html><body>Bad Gateway</body></html>").into_response(),
            Kind::ByteOrderMark => json(format!("\u{feff}{right}")),
            _ => continue,
        });
    }
    None
}

/// A JSON answer of any text.
pub(super) fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn status_only(status: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = format!(
        "{{\"errors\":[{{\"errorType\":\"{}\",\"message\":\"a fault on demand\"}}]}}",
        status.as_u16()
    );
    let mut response = (status, json(body)).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The first part of a body, and then an end that is none.
fn cut(part: String) -> Response {
    let broken = std::io::Error::other("the connection is cut on demand");
    let parts = stream::iter([Ok(Bytes::from(part)), Err(broken)]);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(parts)).into_response()
}
