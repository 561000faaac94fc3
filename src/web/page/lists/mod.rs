//! The lists of the pages as CSV.

mod deliveries;
mod people;
mod watched;

use std::{collections::VecDeque, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use chrono::TimeDelta;

use super::{
    Failure,
    overview::{self, Row},
    tiles,
};
use crate::{
    clock,
    domain::{CheckId, EventName, Timestamp},
    store::{BeginRange, CheckState, EventFilter, FailingLogin, Reader, StoreError, StoredEvent},
    web::{
        Ops,
        csv::{self, List, PAGE, Record},
        filter,
        problem::Problem,
        query::{Fields, Segment},
    },
};

pub(super) use deliveries::stream_deliveries;
pub(super) use people::{stream_failing_users, stream_failures, stream_user_failures};
pub(super) use watched::stream_watched;

/// Most ended failures of which the median of a check is computed.
const ENDED: usize = 1_000;

/// `/checks.csv`: every check, the worst first.
pub(super) async fn stream_checks(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let follower = ops.gate.admit()?;
    let now = clock::now();
    let rows = follower.read(move |reader| overview::read_rows(reader, &objectives, now)).await?;
    Ok(csv::stream_list(follower, Checks { rows: rows.into(), now }, "checks"))
}

struct Checks {
    rows: VecDeque<Row>,
    now: Timestamp,
}

impl List for Checks {
    const FIELDS: &'static [&'static str] = &[
        "check_id",
        "title",
        "severity",
        "failing_users",
        "new_24h",
        "resolved_24h",
        "oldest_failure_at",
        "target_seconds",
        "overdue_users",
        "resolved_30d",
        "median_seconds_to_resolve_30d",
        "last_event_at",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let count = PAGE.min(self.rows.len());
        if count == 0 {
            return Ok(None);
        }
        let records = self.rows.drain(..count).map(|row| {
            let CheckState { title, severity, failing, oldest_failure_at, last_event_at, .. } =
                &row.state;
            let lasted =
                reader.ended_durations(Some(&row.id), self.now - tiles::RESOLVED_IN, ENDED)?;
            let overdue = |target| reader.failures_before(&row.id, self.now - target);
            let overdue = row.target.map(overdue).transpose()?.map(|(count, _)| count);
            Ok(Record::default()
                .text(&row.id)
                .text(title)
                .text(&severity.label())
                .number(*failing)
                .number(row.change.new)
                .number(row.change.resolved)
                .moment(*oldest_failure_at)
                .number(row.target.map(whole_seconds))
                .number(overdue)
                .number(lasted.map_or(0, |lasted| lasted.count))
                .number(lasted.map(|lasted| whole_seconds(lasted.median)))
                .moment(*last_event_at))
        });
        records.collect::<Result<_, StoreError>>().map(Some)
    }
}

/// `/checks/{id}/users.csv`: the users who fail a check, the longest failing first.
pub(super) async fn stream_check_users(
    State(ops): State<Arc<Ops>>,
    Segment(id): Segment,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    stream_failers(&ops, id).await
}

pub(in crate::web::page) async fn stream_failers(
    ops: &Ops,
    id: String,
) -> Result<Response, Failure> {
    let objectives = ops.sources.scope.borrow().objectives.clone();
    let follower = ops.gate.admit()?;
    let key = id.clone();
    let state = follower.read(move |reader| reader.check(&key)).await?;
    let state = state.ok_or_else(|| unknown_check(&id))?;
    let target = CheckId::new(&id).and_then(|id| objectives.limit_for(&id, &state.severity));
    let users = Users { id, target, now: clock::now(), after: None };
    Ok(csv::stream_list(follower, users, "users"))
}

/// The problem that there is no such check.
pub(super) fn unknown_check(id: &str) -> Problem {
    Problem::not_found(format!("no check has the id {id:?}; the overview lists the checks"))
}

struct Users {
    id: String,
    target: Option<TimeDelta>,
    now: Timestamp,
    after: Option<(Timestamp, String)>,
}

impl List for Users {
    const FIELDS: &'static [&'static str] = &[
        "login",
        "name",
        "status",
        "failing_since",
        "failing_since_is_first_seen",
        "last_reported_at",
        "failing_seconds",
        "overdue_seconds",
        "failing_checks",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let after = self.after.as_ref().map(|(at, login)| (*at, login.as_str()));
        let users = reader.failing_by_age(&self.id, &BeginRange::default(), after, PAGE)?;
        let Some(last) = users.last() else { return Ok(None) };
        self.after = Some((last.since, last.login.as_str().to_owned()));
        let record = |user: &FailingLogin| {
            let (name, status) = reader.name_and_status(user.login.as_str())?.unwrap_or_default();
            let age = self.now - user.since;
            let overdue = self.target.map(|target| whole_seconds(age - target));
            Ok(Record::default()
                .text(user.login.spelling())
                .text(&name)
                .text(&status)
                .moment(user.since)
                .word(if user.is_dated { "false" } else { "true" })
                .moment(user.reported_at)
                .number(whole_seconds(age))
                .number(overdue)
                .number(reader.count_failing_checks(user.login.as_str())?))
        };
        users.iter().map(record).collect::<Result<_, StoreError>>().map(Some)
    }
}

/// `/events.csv`: the events that match the filter, the newest first.
pub(super) async fn stream_events(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?.without_empty();
    let filter = filter::take_event_filter(&mut fields)?;
    fields.finish()?;
    let follower = ops.gate.admit()?;
    Ok(csv::stream_list(follower, Events { filter, before: i64::MAX, has_more: true }, "events"))
}

struct Events {
    filter: EventFilter,
    before: i64,
    has_more: bool,
}

impl List for Events {
    const FIELDS: &'static [&'static str] = &[
        "seq",
        "observed_at",
        "happened_at",
        "event",
        "severity",
        "check_id",
        "login",
        "ip",
        "application",
        "what_happened",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        if !self.has_more {
            return Ok(None);
        }
        let page = reader.events_before(&self.filter, self.before, PAGE)?;
        (self.before, self.has_more) = (page.cursor, page.has_more);
        Ok(Some(page.events.iter().map(event_record).collect()))
    }
}

fn event_record(StoredEvent { seq, event, .. }: &StoredEvent) -> Record {
    let is_rated = event.check_id.is_some() || event.severity.text().is_some();
    let severity = if is_rated { event.severity.label() } else { String::new() };
    Record::default()
        .number(u64::try_from(*seq).ok())
        .moment(event.observed_at)
        .moment(event.happened_at)
        .word(EventName::as_str(event.name))
        .text(&severity)
        .text(event.check_id.as_ref().map_or("", CheckId::as_str))
        .text(event.login.as_ref().map_or("", |login| login.spelling()))
        .text(event.ip.as_deref().unwrap_or_default())
        .text(event.application.as_deref().unwrap_or_default())
        .text(&event.sentence())
}

/// Whole seconds; 0 for a negative time.
fn whole_seconds(time: TimeDelta) -> u64 {
    u64::try_from(time.num_seconds()).unwrap_or(0)
}
