//! `/api/v1/changes`: server-sent events that say that there is something new,
//! and not what.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};

use crate::web::{Ops, problem::Problem, query::Fields};

/// The least time between two messages: a burst of commits is one change.
const PACE: Duration = Duration::from_secs(1);

/// Sends the newest event's number, now and whenever it grew. A client that
/// comes back with a number (`Last-Event-ID`) hears of what is beyond it.
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
