//! Answers requests to a wrong path or with a wrong method. They are the most common mistakes of a
//! first setup, and the service's console does not show the answer, so the log has to.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Ingest, answer::problem_response, meters::Misdirection};

/// Answers a wrong path with 404. Only the log names the right path: the sender may be a scanner.
pub(super) async fn reject_path(State(ingest): State<Arc<Ingest>>, request: Request) -> StatusCode {
    let (expected, method) = (&ingest.path, request.method());
    // Browsers and scanners send GET. Only a POST can be a misdirected delivery.
    if method == Method::POST {
        ingest.intake.meters().count_misdirected(Misdirection::Path);
        if let Some(untold) = ingest.told.path.next(Instant::now()) {
            let path = escape_text(request.uri().path());
            tracing::warn!(
                path,
                expected,
                untold,
                "a request to the webhook listener has a wrong path; correct the URL of the \
                 webhook target in the console, or webhook.path"
            );
        }
    }
    StatusCode::NOT_FOUND
}

/// Answers a wrong method on the webhook's path with 405.
pub(super) async fn reject_method(State(ingest): State<Arc<Ingest>>, method: Method) -> Response {
    ingest.intake.meters().count_misdirected(Misdirection::Method);
    if let Some(untold) = ingest.told.method.next(Instant::now()) {
        tracing::warn!(
            method = escape_text(method.as_str()),
            expected = "POST",
            path = ingest.path,
            untold,
            "a request to the webhook's path has a wrong method"
        );
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    let detail = "a delivery is sent with the method POST";
    (headers, problem_response(StatusCode::METHOD_NOT_ALLOWED, detail, None)).into_response()
}

/// The beginning of a text from the sender, with control and non-ASCII characters escaped for the
/// log.
fn escape_text(text: &str) -> String {
    /// Most characters.
    const MOST: usize = 80;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_default).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sender_wrote_is_cut_and_escaped() {
        assert_eq!(escape_text("/webhook/cii"), "/webhook/cii");
        assert_eq!(escape_text("/a\u{1b}[2J\n"), "/a\\u{1b}[2J\\n");
        assert_eq!(escape_text(&"a".repeat(81)), format!("{}\u{2026}", "a".repeat(80)));
    }
}
