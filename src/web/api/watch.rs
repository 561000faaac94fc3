//! `/api/v1/watch`: the watch list, with the reason and the expiry of each entry.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, Uri},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::page;
use crate::{
    clock,
    domain::{Timestamp, WatchSubject},
    ledger::change::{AddWatch, RemoveWatch, WatchAdded, WatchRemoved},
    store::{Reader, WatchPlace},
    web::{
        Ops,
        json::Watched,
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Entries on a page when the query gives no `limit`.
const ENTRIES: usize = 1000;

/// A request to add a user or an address to the watch list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddWatchRequest {
    kind: String,
    subject: String,
    note: Option<String>,
    expires_at: Option<Timestamp>,
}

/// Lists the entries with the result of each subject's last poll: users first, by subject.
pub(super) async fn list(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Json<Value>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let limit = fields.take_limit()?.unwrap_or(ENTRIES);
    let after = fields.take("cursor").map(|cursor| parse_cursor(&cursor)).transpose()?;
    fields.finish()?;
    let read = move |reader: &Reader| reader.watch_page(after.as_ref(), limit + 1);
    let mut entries = ops.sources.store.read(read).await?;
    let last = page::cut_page(&mut entries, limit).map(|last| WatchPlace::behind(&last.entry));
    let next_cursor = last.map(|WatchPlace { kind, subject, source }| {
        // Neither a kind nor a source contains a slash, so the subject may.
        format!("{kind}/{subject}/{source}")
    });
    let entries: Vec<_> = entries.into_iter().map(Watched::from).collect();
    Ok(Json(json!({ "entries": entries, "next_cursor": next_cursor })))
}

/// Parses a cursor into a position in the list.
fn parse_cursor(cursor: &str) -> Result<WatchPlace, Problem> {
    let parts = cursor.split_once('/').and_then(|(kind, rest)| {
        let (subject, source) = rest.rsplit_once('/')?;
        Some((kind, subject, source)).filter(|_| ["user", "ip"].contains(&kind))
    });
    let Some((kind, subject, source)) = parts else {
        return Err(Problem::bad_request(
            "this is no cursor; give next_cursor of the answer before, or none for the first page",
        ));
    };
    let [kind, subject, source] = [kind, subject, source].map(str::to_owned);
    Ok(WatchPlace { kind, subject, source })
}

/// Adds an entry, or updates its note and expiry.
pub(super) async fn add(
    State(ops): State<Arc<Ops>>,
    request: Result<Json<AddWatchRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Json(request) = request?;
    let at = clock::now();
    let subject = parse_subject(&request.kind, &request.subject)?;
    if request.expires_at.is_some_and(|expires_at| expires_at <= at) {
        return Err(unwatchable("expires_at has passed"));
    }
    let (kind, most) = (subject.kind(), ops.sources.rules.borrow().policy.limit_for(&subject));
    let AddWatchRequest { note, expires_at, .. } = request;
    let add = AddWatch { subject, note, expires_at, most, at };
    match ops.sources.store.commit(add).await? {
        WatchAdded::Added => Ok((StatusCode::CREATED, Json(json!({ "result": "added" })))),
        WatchAdded::Known => Ok((StatusCode::OK, Json(json!({ "result": "updated" })))),
        WatchAdded::Full => Err(Problem::conflict(format!(
            "watch.max_{kind}s is {most}, and so many are listed; remove an entry, or raise it \
             and reload"
        ))),
    }
}

/// Removes an entry.
pub(super) async fn remove(
    State(ops): State<Arc<Ops>>,
    Segment((kind, text)): Segment<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let subject = parse_subject(&kind, &text)?;
    match ops.sources.store.commit(RemoveWatch { subject, at: clock::now() }).await? {
        WatchRemoved::Removed => Ok(Json(json!({ "result": "removed" }))),
        WatchRemoved::Configured => Err(Problem::conflict(
            "the configuration watches this; take it out of [watch] there, and reload",
        )),
        WatchRemoved::Unknown => Err(Problem::not_found("this is not watched")),
    }
}

fn parse_subject(kind: &str, text: &str) -> Result<WatchSubject, Problem> {
    WatchSubject::parse(kind, text).map_err(unwatchable)
}

fn unwatchable(reason: impl std::fmt::Display) -> Problem {
    Problem::unprocessable(format!("this cannot be watched: {reason}"))
}
