//! Reading a request's body, within limits.

use std::time::Duration;

use axum::{body::Body, http::HeaderMap};
use http_body_util::{BodyExt, Limited};
use tokio::time::{Instant, timeout_at};

use super::budget::{NoRoom, SMALL, Share};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the body of a sender that is to come back is thrown away: no longer than it takes
/// to see the answer that is ready, for there are many like it.
pub(super) const BRIEFLY: Duration = Duration::from_secs(2);

/// How long the body of one that made a mistake is.
pub(super) const WHOLE: Duration = PATIENCE;

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
}

impl Limits {
    /// Bytes to make room for, once so many have come of a large body: how long it comes to
    /// be is known only where it was announced.
    fn needed_room(self, length: usize) -> usize {
        self.announced.filter(|announced| length <= *announced).unwrap_or(self.most)
    }
}

/// Reads the body, if it is not longer than allowed, once its share has room for it.
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
            // A sender that announced nothing; its pause is none of its own.
            let begun = Instant::now();
            share.grow(limits.needed_room(length)).await?;
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

/// Reads a body and throws it away, as long as it keeps coming, for a while at most. Who asks
/// before sending it is not told to.
pub(super) async fn drain_body(headers: &HeaderMap, body: Body, at_most: Duration) {
    if headers.contains_key(axum::http::header::EXPECT) {
        return;
    }
    let mut body = Limited::new(body, DRAIN_BYTES);
    let drained =
        async { while let Ok(Some(Ok(_))) = tokio::time::timeout(PAUSE, body.frame()).await {} };
    let _ = tokio::time::timeout(at_most, drained).await;
}
