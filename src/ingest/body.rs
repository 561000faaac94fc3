//! Reads the body of a request within limits of time and size.

use std::time::Duration;

use axum::{body::Body, http::HeaderMap};
use http_body_util::{BodyExt, Limited};
use tokio::time::{Instant, timeout_at};

use super::budget::{NoRoom, SMALL, Share};

/// How long a body may take to arrive, without the time that it waits for room.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the body of a delivery that is answered with 503 is drained. It is short, because an
/// overload has many of them.
pub(super) const BRIEFLY: Duration = Duration::from_secs(2);

/// How long the body of an invalid delivery is drained.
pub(super) const WHOLE: Duration = PATIENCE;

/// How long the sender of a refused body may pause before draining ends.
const PAUSE: Duration = Duration::from_secs(2);

/// Most bytes that are drained of a refused body. A sender that writes the whole body before it
/// reads would otherwise see a reset connection instead of the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is longer than allowed.
    TooLarge,
    /// The connection broke or was too slow.
    Incomplete,
    /// The budget has no room for it now.
    NoRoom,
}

impl From<NoRoom> for BodyError {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The `Content-Length`.
    pub(super) announced: Option<usize>,
    /// The longest body that is accepted.
    pub(super) most: usize,
}

impl Limits {
    /// Bytes of room that a large body needs after `length` bytes: its announced length, else the
    /// maximum.
    fn needed_room(self, length: usize) -> usize {
        self.announced.filter(|announced| length <= *announced).unwrap_or(self.most)
    }
}

/// Reads the body. A large body waits until its share of the budget has room for it.
pub(super) async fn read_body(
    body: &mut Body,
    limits: Limits,
    share: &mut Share,
) -> Result<Vec<u8>, BodyError> {
    let announced = limits.announced.unwrap_or_default();
    if announced > SMALL {
        share.grow(limits.needed_room(0)).await?;
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
            // The sender announced no length. The wait for room does not count as the sender's
            // time.
            let begun = Instant::now();
            share.grow(limits.needed_room(length)).await?;
            end += begun.elapsed();
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The announced length of the body (`Content-Length`).
pub(super) fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(axum::http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads and discards a body while it keeps arriving, for `at_most`. A sender that waits for `100
/// Continue` has sent nothing, so nothing is read.
pub(super) async fn drain_body(headers: &HeaderMap, body: Body, at_most: Duration) {
    if headers.contains_key(axum::http::header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DRAIN_BYTES);
    let drained =
        async { while let Ok(Some(Ok(_))) = tokio::time::timeout(PAUSE, body.frame()).await {} };
    let _ = tokio::time::timeout(at_most, drained).await;
}
