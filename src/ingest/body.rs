//! Reading a request's body, within limits.

use std::time::Duration;

use axum::{body::Body, http::HeaderMap};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the sender of a refused body may pause before it is answered.
const PAUSE: Duration = Duration::from_secs(2);

/// What is read and thrown away of a body that is refused, so that a sender who
/// writes all of it before it reads still gets to see the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// Longer than allowed.
    TooLarge,
    /// The connection broke, or was too slow.
    Incomplete,
}

/// Reads the body, if it is not longer than `limit`.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await;
    match collected.map_err(|_| BodyError::Incomplete)? {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Incomplete),
    }
}

/// The length of the body that the sender announces.
pub(super) fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(axum::http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body and throws it away, as long as it keeps coming. Who asks before sending it
/// is not told to.
pub(super) async fn drain(headers: &HeaderMap, body: Body) {
    if headers.contains_key(axum::http::header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DRAIN_BYTES);
    let drained =
        async { while let Ok(Some(Ok(_))) = tokio::time::timeout(PAUSE, body.frame()).await {} };
    let _ = tokio::time::timeout(PATIENCE, drained).await;
}
