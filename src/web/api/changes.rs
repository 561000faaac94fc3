//! `/api/v1/changes`: server-sent events that report the number of the newest event, without its
//! content.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};

use crate::web::{Ops, problem::Problem, query::Fields};

/// Least time between two messages, so that a burst of commits is one message.
const PACE: Duration = Duration::from_secs(1);

/// Streams the number of the newest event, each time that it has grown.
///
/// A client that reconnects with `Last-Event-ID` gets a message at once when there are newer
/// events.
pub(super) async fn stream_changes(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let cursor = fields.take_number("cursor", 0, i64::MAX)?;
    fields.finish()?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let follower = ops.gate.admit()?;
    let told = last.or(cursor).unwrap_or_else(|| follower.newest_seq());
    let messages = stream::unfold((follower, told, false), async |(mut follower, told, paced)| {
        if paced && !follower.pause(PACE).await || !follower.wait_beyond(told).await {
            return None;
        }
        let newest = follower.newest_seq();
        let message = Event::default().event("change").id(newest.to_string());
        Some((Ok(message.data(format!("{{\"seq\":{newest}}}"))), (follower, newest, true)))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()))
}
