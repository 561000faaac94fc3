//! Failing users, and the failing checks of a user, as CSV.

use std::{collections::VecDeque, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};

use super::{Failure, whole_seconds};
use crate::{
    clock,
    domain::{CheckId, Login, Objectives, Severity, Timestamp},
    store::{FailingCheck, Reader, StoreError},
    web::{
        Ops,
        csv::{self, List, PAGE, Record},
        problem::Problem,
        query::{Fields, Segment},
        subject,
    },
};

/// `/users.csv`: all users who fail a check, by login.
pub(in crate::web::page) async fn stream_failing_users(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let users = Users { objectives, now: clock::now(), after: String::new() };
    Ok(csv::stream_list(ops.gate.admit()?, users, "users"))
}

struct Users {
    objectives: Arc<Objectives>,
    now: Timestamp,
    after: String,
}

impl List for Users {
    const FIELDS: &'static [&'static str] = &[
        "login",
        "name",
        "status",
        "failing_checks",
        "worst_severity",
        "oldest_failure_at",
        "overdue_checks",
        "check_ids",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let logins = reader.logins_that_fail(&self.after, PAGE)?;
        let Some(last) = logins.last() else { return Ok(None) };
        last.as_str().clone_into(&mut self.after);
        let record = |login: &Login| {
            let (name, status) = reader.name_and_status(login.as_str())?.unwrap_or_default();
            let failing = reader.failing_checks(login.as_str())?;
            let overdue = failing.iter().filter(|check| {
                failure_target(&self.objectives, check)
                    .is_some_and(|target| check.since < self.now - target)
            });
            let worst = Severity::worst(failing.iter().map(|check| check.severity.clone()));
            let ids: Vec<_> = failing.iter().map(|check| check.check_id.as_str()).collect();
            Ok(Record::default()
                .text(login.spelling())
                .text(&name)
                .text(&status)
                .number(failing.len() as u64)
                .text(&worst.map_or_else(String::new, |worst| worst.label()))
                .moment(failing.iter().map(|check| check.since).min())
                .number(overdue.count() as u64)
                .text(&ids.join(" ")))
        };
        logins.iter().map(record).collect::<Result<_, StoreError>>().map(Some)
    }
}

/// `/users/{login}/checks.csv`: the checks that a user fails, the longest failing first.
pub(in crate::web::page) async fn stream_user_failures(
    State(ops): State<Arc<Ops>>,
    Segment(text): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    stream_failures(&ops, &text).await
}

pub(in crate::web::page) async fn stream_failures(
    ops: &Ops,
    text: &str,
) -> Result<Response, Failure> {
    let login = Login::new(text).map_err(|error| Problem::bad_request(error.to_string()))?;
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let follower = ops.gate.admit()?;
    let key = login.clone();
    let known = follower.read(move |reader| subject::read_user(reader, &key)).await?;
    let known = known.ok_or_else(|| subject::unknown_user(&login))?;
    let failures = Failures { failing: known.failing.into(), objectives, now: clock::now() };
    Ok(csv::stream_list(follower, failures, "checks"))
}

struct Failures {
    failing: VecDeque<FailingCheck>,
    objectives: Arc<Objectives>,
    now: Timestamp,
}

impl List for Failures {
    const FIELDS: &'static [&'static str] = &[
        "check_id",
        "title",
        "severity",
        "failing_since",
        "failing_since_is_first_seen",
        "last_reported_at",
        "failing_seconds",
        "overdue_seconds",
    ];

    fn next_page(&mut self, _: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let count = PAGE.min(self.failing.len());
        if count == 0 {
            return Ok(None);
        }
        let (objectives, now) = (&self.objectives, self.now);
        let record = |check: FailingCheck| {
            let age = now - check.since;
            Record::default()
                .text(&check.check_id)
                .text(&check.title)
                .text(&check.severity.label())
                .moment(check.since)
                .word(if check.is_dated { "false" } else { "true" })
                .moment(check.reported_at)
                .number(whole_seconds(age))
                .number(
                    failure_target(objectives, &check).map(|target| whole_seconds(age - target)),
                )
        };
        Ok(Some(self.failing.drain(..count).map(record).collect()))
    }
}

/// The target of a failure: how long it may last.
fn failure_target(objectives: &Objectives, check: &FailingCheck) -> Option<chrono::TimeDelta> {
    objectives.limit_for(&CheckId::new(&check.check_id)?, &check.severity)
}
