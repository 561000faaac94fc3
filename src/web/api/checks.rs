//! `/api/v1/checks`, and who fails them.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::{deliveries::LastDelivery, page};
use crate::{
    domain::{CheckId, Timestamp},
    ledger::change::{CheckForgotten, ForgetCheck},
    store::{CheckAdvice, CheckState, FORGOTTEN_AT_ONCE, FailingLogin, Reader, StoreError},
    web::{
        Ops, filter,
        listing::{self, Listing, Setting},
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Checks of an answer unless the query says how many.
const CHECKS: usize = 1000;

/// Users of an answer unless the query says how many.
const USERS: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct CheckList {
    listing: Listing,
    failing_people: u64,
    checks: Vec<Check>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Check {
    id: String,
    title: String,
    severity: String,
    description: Vec<String>,
    recommended_actions: Vec<String>,
    failing_users: u64,
    failing_since: Option<Timestamp>,
    last_event_at: Timestamp,
    totals: Totals,
    last_delivery: Option<LastDelivery>,
}

#[derive(Debug, Serialize)]
struct Totals {
    failures: u64,
    resolutions: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct UsersPage {
    check_id: String,
    users: Vec<FailingUser>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct FailingUser {
    login: String,
    since: Timestamp,
    since_is_first_seen: bool,
    last_reported_at: Timestamp,
}

/// The checks that the store knows, ordered by id, and how far the tenant is known; the cursor
/// is the last one's id.
pub(super) async fn list(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Json<CheckList>, Problem> {
    let mut fields = Fields::of(&uri)?;
    let limit = fields.limit()?.unwrap_or(CHECKS);
    let cursor = fields.take("cursor").unwrap_or_default();
    fields.finish()?;
    let setting = Setting::of(&ops);
    let answer = ops
        .sources
        .store
        .read(move |reader| {
            let mut ids = reader.check_ids_after(&cursor, limit + 1)?;
            let next_cursor = page::cut(&mut ids, limit).cloned();
            let mut checks = Vec::new();
            for id in ids {
                if let Some(state) = reader.check(&id)? {
                    let mut check = Check::new(&id, state, reader.check_advice(&id)?);
                    check.failing_since = reader.failing_since(&id)?;
                    check.last_delivery = reader.last_delivery_of(&id)?.map(LastDelivery::from);
                    checks.push(check);
                }
            }
            let listing = listing::read(reader, &setting)?;
            let failing_people = reader.failing_people()?;
            Ok(CheckList { listing, failing_people, checks, next_cursor })
        })
        .await?;
    Ok(Json(answer))
}

/// Forgets a check that is gone for good.
pub(super) async fn forget(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let unknown = || Problem::not_found(format!("there is no check {id}"));
    let check = CheckId::new(&id).ok_or_else(unknown)?;
    loop {
        let forget = ForgetCheck { id: check.clone(), limit: FORGOTTEN_AT_ONCE };
        match ops.sources.store.commit(forget).await? {
            CheckForgotten::Partly => {}
            CheckForgotten::Entirely => return Ok(Json(json!({ "result": "forgotten" }))),
            CheckForgotten::Configured => {
                return Err(Problem::conflict(
                    "the configuration gives this check a title; take it out of [checks] there, \
                     and reload",
                ));
            }
            CheckForgotten::Unknown => return Err(unknown()),
        }
    }
}

/// The users who fail a check, ordered by login; the cursor is the last one's
/// login.
pub(super) async fn users(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Json<UsersPage>, Problem> {
    let mut fields = Fields::of(&uri)?;
    let limit = fields.limit()?.unwrap_or(USERS);
    let cursor = filter::identity(&fields.take("cursor").unwrap_or_default());
    fields.finish()?;
    let check_id = id.clone();
    let page = ops
        .sources
        .store
        .read(move |reader| failing(reader, &check_id, &cursor, limit + 1))
        .await?;
    let Some(mut page) = page else {
        return Err(Problem::not_found(format!(
            "no check {id:?} was ever heard of; /api/v1/checks lists the checks"
        )));
    };
    let next_cursor = page::cut(&mut page, limit).map(|user| user.login.as_str().to_owned());
    let users = page.into_iter().map(FailingUser::from).collect();
    Ok(Json(UsersPage { check_id: id, users, next_cursor }))
}

/// The users who fail a check; `None` when there is no such check.
fn failing(
    reader: &Reader,
    check_id: &str,
    after: &str,
    limit: usize,
) -> Result<Option<Vec<FailingLogin>>, StoreError> {
    if reader.check(check_id)?.is_none() {
        return Ok(None);
    }
    reader.failing_logins(check_id, after, limit).map(Some)
}

impl Check {
    fn new(id: &str, state: CheckState, advice: CheckAdvice) -> Self {
        Self {
            id: id.to_owned(),
            title: state.title,
            severity: state.severity.label(),
            description: advice.description,
            recommended_actions: advice.recommended_actions,
            failing_users: state.failing,
            failing_since: None,
            last_event_at: state.last_event_at,
            totals: Totals { failures: state.failures, resolutions: state.resolutions },
            last_delivery: None,
        }
    }
}

impl From<FailingLogin> for FailingUser {
    fn from(failing: FailingLogin) -> Self {
        Self {
            login: failing.login.to_string(),
            since: failing.since,
            since_is_first_seen: !failing.is_dated,
            last_reported_at: failing.reported_at,
        }
    }
}
