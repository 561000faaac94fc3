//! `/api/v1/events`: the event log, page by page or as a stream.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{entry::Entry, follow};
use crate::{
    store::{EventFilter, Store, StoreError},
    web::{Ops, filter, problem::Problem, query::Fields},
};

/// Events on a page when the query gives no `limit`.
const EVENTS: usize = 100;

/// Most reads of the log for one page. A filter that few events match returns a short page with
/// `has_more`, instead of one slow request.
const LOOKS: usize = 4;

/// A page of the log.
#[derive(Debug, Serialize)]
struct Page {
    events: Vec<Entry>,
    next_cursor: i64,
    has_more: bool,
}

/// The parsed query.
#[derive(Debug)]
struct EventQuery {
    filter: EventFilter,
    cursor: Option<i64>,
    limit: Option<usize>,
    is_stream: bool,
}

/// Returns a page, or a stream when the query or the `Accept` header requests one.
pub(super) async fn serve_events(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let question = parse_query(&uri, &headers)?;
    let (filter, cursor) = (question.filter, question.cursor);
    if question.is_stream {
        if filter.until.is_some() {
            return Err(Problem::bad_request("a stream has no end; leave `until` out"));
        }
        let follower = ops.gate.admit()?;
        let cursor = cursor.unwrap_or_else(|| follower.newest_seq());
        return Ok(follow::stream_events(follower, filter, cursor, question.limit));
    }
    let limit = question.limit.unwrap_or(EVENTS);
    Ok(Json(read_page(&ops.sources.store, filter, cursor.unwrap_or(0), limit).await?)
        .into_response())
}

fn parse_query(uri: &Uri, headers: &HeaderMap) -> Result<EventQuery, Problem> {
    let mut fields = Fields::parse(uri)?;
    let filter = filter::take_event_filter(&mut fields)?;
    let cursor = fields.take_number("cursor", 0, i64::MAX)?;
    let limit = fields.take_limit()?;
    let is_stream = match fields.take("stream").as_deref() {
        None => wants_lines(headers),
        Some("true") => true,
        Some("false") => false,
        Some(other) => {
            return Err(Problem::bad_request(format!("stream={other}: it is true or false")));
        }
    };
    fields.finish()?;
    Ok(EventQuery { filter, cursor, limit, is_stream })
}

fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(follow::CONTENT_TYPE)
    })
}

async fn read_page(
    store: &Store,
    filter: EventFilter,
    mut cursor: i64,
    limit: usize,
) -> Result<Page, StoreError> {
    let filter = Arc::new(filter);
    let (mut events, mut has_more) = (Vec::new(), true);
    for _ in 0..LOOKS {
        let (filter, wanted) = (filter.clone(), limit - events.len());
        let found = store.read(move |reader| reader.events_after(&filter, cursor, wanted)).await?;
        events.extend(found.events.into_iter().map(Entry::from));
        (cursor, has_more) = (found.cursor, found.has_more);
        if !has_more || events.len() == limit {
            break;
        }
    }
    Ok(Page { events, next_cursor: cursor, has_more })
}
