//! The event log as newline-delimited JSON: first the recorded events, then new ones as they are
//! committed.

use std::sync::Arc;

use axum::{
    BoxError,
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;

use super::entry::Entry;
use crate::{
    store::{EventFilter, EventPage},
    web::follow::Follower,
};

/// The content type of a stream.
pub(super) const CONTENT_TYPE: &str = "application/x-ndjson";

/// Events per read: the most that a slow client holds in memory. The next batch is read only once
/// the client has taken this one.
const BATCH: usize = 100;

struct Position {
    follower: Follower,
    filter: Arc<EventFilter>,
    cursor: i64,
    left: Option<usize>,
}

/// Streams the events after `cursor`, until `limit` were sent, the client disconnects, or the
/// daemon stops.
pub(super) fn stream_events(
    follower: Follower,
    filter: EventFilter,
    cursor: i64,
    limit: Option<usize>,
) -> Response {
    let position = Position { follower, filter: Arc::new(filter), cursor, left: limit };
    let lines = stream::try_unfold(position, async |mut position| {
        let lines = position.next_lines().await?;
        Ok::<_, BoxError>(lines.map(|lines| (lines, position)))
    });
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(lines)).into_response()
}

impl Position {
    /// The next lines; `None` at the end of the stream.
    async fn next_lines(&mut self) -> Result<Option<String>, BoxError> {
        while self.left != Some(0) && self.follower.is_running() {
            let (filter, cursor) = (self.filter.clone(), self.cursor);
            let wanted = self.left.map_or(BATCH, |left| left.min(BATCH));
            let page = self
                .follower
                .read(move |reader| reader.events_after(&filter, cursor, wanted))
                .await?;
            self.cursor = page.cursor;
            if !page.events.is_empty() {
                self.left = self.left.map(|left| left.saturating_sub(page.events.len()));
                return format_lines(page).map(Some);
            }
            if !page.has_more && !self.follower.wait_beyond(self.cursor).await {
                break;
            }
        }
        Ok(None)
    }
}

fn format_lines(page: EventPage) -> Result<String, BoxError> {
    let mut lines = String::new();
    for event in page.events {
        lines.push_str(&serde_json::to_string(&Entry::from(event))?);
        lines.push('\n');
    }
    Ok(lines)
}
