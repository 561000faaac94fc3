//! Reading a request's body, within limits.

use std::time::Duration;

use axum::{body::Body, http::HeaderMap};
use http_body_util::{BodyExt, Limited};
use tokio::time::{Instant, timeout_at};

use super::budget::{NoRoom, SMALL, Share};

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
    /// There is no room for it now.
    NoRoom,
}

impl From<NoRoom> for BodyError {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// What may be read of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// What the sender says of its length.
    pub(super) announced: Option<usize>,
    /// Its length at most.
    pub(super) most: usize,
    /// Bytes to make room for when it is large.
    pub(super) large: usize,
}

/// Reads the body, if it is not longer than allowed, once its share has room for it.
pub(super) async fn read(
    body: &mut Body,
    limits: Limits,
    share: &mut Share,
) -> Result<Vec<u8>, BodyError> {
    let announced = limits.announced.unwrap_or_default();
    if announced > SMALL {
        share.grow(limits.large).await?;
    }
    let mut bytes = Vec::with_capacity(announced.min(limits.most));
    let mut end = Instant::now() + PATIENCE;
    while let Some(frame) =
        timeout_at(end, body.frame()).await.map_err(|_| BodyError::Incomplete)?
    {
        let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > limits.most {
            return Err(BodyError::TooLarge);
        }
        if length > SMALL {
            // A sender that announced nothing; its pause is none of its own.
            let begun = Instant::now();
            share.grow(limits.large).await?;
            end += begun.elapsed();
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
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
