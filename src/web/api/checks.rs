//! `/api/v1/checks`: checks, and the users who fail them.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    deliveries::LastDelivery,
    page,
    resolution::{self, LastDay, Overdue, TimeToResolve},
};
use crate::{
    clock,
    domain::{CheckId, Objectives, Timestamp},
    ledger::change::{CheckForgotten, ForgetCheck},
    store::{BeginRange, FORGOTTEN_AT_ONCE, FailingLogin, Reader, StoreError},
    web::{
        Ops, filter,
        listing::{self, Listing, Setting},
        problem::Problem,
        query::{Fields, Segment},
    },
};

/// Checks on a page when the query gives no `limit`.
const CHECKS: usize = 1000;

/// Users on a page when the query gives no `limit`.
const USERS: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct CheckList {
    listing: Listing,
    failing_people: u64,
    checks: Vec<Check>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Check {
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
    last_24_hours: LastDay,
    time_to_resolve: TimeToResolve,
    overdue: Option<Overdue>,
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
    failing_seconds: u64,
    overdue_seconds: Option<u64>,
}

/// Lists the known checks by id, with the state of the tenant listing. The cursor is the last
/// check's id.
pub(super) async fn list(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Json<CheckList>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let limit = fields.take_limit()?.unwrap_or(CHECKS);
    let cursor = fields.take("cursor").unwrap_or_default();
    let only = fields.take("id");
    fields.finish()?;
    let setting = Setting::from_ops(&ops);
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let answer = ops
        .sources
        .store
        .read(move |reader| {
            let mut ids = match only {
                Some(id) => vec![id],
                None => reader.check_ids_after(&cursor, limit + 1)?,
            };
            let next_cursor = page::cut_page(&mut ids, limit).cloned();
            let mut checks = Vec::new();
            for id in ids {
                checks.extend(Check::read(reader, &id, &objectives)?);
            }
            let listing = listing::read_listing(reader, &setting)?;
            let failing_people = reader.failing_people()?;
            Ok(CheckList { listing, failing_people, checks, next_cursor })
        })
        .await?;
    Ok(Json(answer))
}

/// Shows one check.
pub(super) async fn show(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Json<Check>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let key = id.clone();
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let read = ops.sources.store.read(move |reader| Check::read(reader, &key, &objectives));
    read.await?.map(Json).ok_or_else(|| unknown_check(&id))
}

/// Removes a check that no longer exists in the service.
pub(super) async fn forget(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
) -> Result<Json<Value>, Problem> {
    let unknown = || Problem::not_found(format!("there is no check {id}"));
    let check = CheckId::new(&id).ok_or_else(unknown)?;
    // One commit removes a bounded number of rows, so that deliveries are committed in between.
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

/// Lists the users who fail a check by login, or with `overdue=true` those beyond the objective,
/// the longest failing first. The cursor is the last user's place in that order.
pub(super) async fn list_users(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Json<UsersPage>, Problem> {
    let mut fields = Fields::parse(&uri)?;
    let limit = fields.take_limit()?.unwrap_or(USERS);
    let cursor = fields.take("cursor").unwrap_or_default();
    let is_overdue = match fields.take("overdue").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(text) => {
            let message = format!("overdue={text} is neither true nor false");
            return Err(Problem::bad_request(message));
        }
    };
    fields.finish()?;
    // A cursor of the list by login is no position in the list by age: that one starts from its
    // beginning.
    let after = filter::parse_cursor_by_age(&cursor).ok();
    let key = id.clone();
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let now = clock::now();
    let found = ops
        .sources
        .store
        .read(move |reader| {
            let Some(state) = reader.check(&key)? else { return Ok(None) };
            let objective = resolution::objective(&key, &state, &objectives);
            let users = match (is_overdue, objective) {
                (false, _) => {
                    reader.failing_logins(&key, &filter::login_identity(&cursor), limit + 1)?
                }
                (true, None) => Vec::new(),
                (true, Some(objective)) => {
                    let began = BeginRange { before: Some(now - objective), since: None };
                    let after = after.as_ref().map(|(at, login)| (*at, login.as_str()));
                    reader.failing_by_age(&key, &began, after, limit + 1)?
                }
            };
            Ok(Some((users, objective)))
        })
        .await?;
    let (mut users, objective) = found.ok_or_else(|| unknown_check(&id))?;
    let next_cursor = page::cut_page(&mut users, limit).map(|last| {
        if is_overdue { filter::cursor_by_age(last) } else { last.login.as_str().to_owned() }
    });
    let users = users.iter().map(|user| FailingUser::new(user, objective, now)).collect();
    Ok(Json(UsersPage { check_id: id, users, next_cursor }))
}

fn unknown_check(id: &str) -> Problem {
    Problem::not_found(format!(
        "no check {id:?} was ever heard of; /api/v1/checks lists the checks"
    ))
}

impl Check {
    /// Reads a check; `None` when the id is unknown.
    fn read(
        reader: &Reader,
        id: &str,
        objectives: &Objectives,
    ) -> Result<Option<Self>, StoreError> {
        let Some(state) = reader.check(id)? else { return Ok(None) };
        let now = clock::now();
        let advice = reader.check_advice(id)?;
        Ok(Some(Self {
            id: id.to_owned(),
            severity: state.severity.label(),
            description: advice.description,
            recommended_actions: advice.recommended_actions,
            failing_users: state.failing,
            failing_since: state.oldest_failure_at,
            last_event_at: state.last_event_at,
            totals: Totals { failures: state.failures, resolutions: state.resolutions },
            last_delivery: reader.last_delivery_of(id)?.map(LastDelivery::from),
            last_24_hours: LastDay::from_state(&state, now),
            time_to_resolve: TimeToResolve::read(reader, id, &state, now)?,
            overdue: Overdue::read(reader, id, &state, objectives, now)?,
            title: state.title,
        }))
    }
}

impl FailingUser {
    fn new(failing: &FailingLogin, objective: Option<TimeDelta>, now: Timestamp) -> Self {
        let age = now - failing.since;
        Self {
            login: failing.login.to_string(),
            since: failing.since,
            since_is_first_seen: !failing.is_dated,
            last_reported_at: failing.reported_at,
            failing_seconds: resolution::whole_seconds(age),
            overdue_seconds: objective.map(|objective| resolution::whole_seconds(age - objective)),
        }
    }
}
