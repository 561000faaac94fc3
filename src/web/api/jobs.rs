//! `/api/v1/jobs`: the result of each scheduled job's last run, with the reason of a failure.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;

use crate::{
    clock,
    domain::{Schedule, Timestamp},
    store::JobState,
    web::{Ops, problem::Problem, query::Fields},
};

#[derive(Debug, Serialize)]
pub(super) struct Jobs {
    jobs: Vec<ScheduledJob>,
}

#[derive(Debug, Serialize)]
struct ScheduledJob {
    job: &'static str,
    /// `succeeded`, `failed`, `off`, or `never` before the first run.
    state: &'static str,
    since: Option<Timestamp>,
    reason: Option<String>,
    asked: u64,
    ok: u64,
    not_found: u64,
    failed: u64,
    skipped: u64,
    last_begun_at: Option<Timestamp>,
    last_success_at: Option<Timestamp>,
    next_run_at: Option<Timestamp>,
    schedule: String,
}

/// Lists the jobs that the configuration turns on; none without `[api]`.
pub(super) async fn list(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Json<Jobs>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let names: Vec<_> = ops.sources.polls.jobs().map(|(name, _)| name).collect();
    let states = ops.sources.store.read(move |reader| {
        names.into_iter().map(|name| reader.job_state(name)).collect::<Result<Vec<_>, _>>()
    });
    let jobs = ops.sources.polls.jobs().zip(states.await?);
    Ok(Json(Jobs {
        jobs: jobs.map(|((name, when), state)| ScheduledJob::new(name, when, state)).collect(),
    }))
}

impl ScheduledJob {
    fn new(job: &'static str, schedule: &Schedule, state: Option<JobState>) -> Self {
        let counts = state.as_ref().map(|state| state.end.counts).unwrap_or_default();
        Self {
            job,
            state: state.as_ref().map_or("never", |state| state.end.outcome.as_str()),
            since: state.as_ref().map(|state| state.since),
            last_begun_at: state.as_ref().map(|state| state.last_begun_at),
            last_success_at: state.as_ref().and_then(|state| state.last_success_at),
            reason: state.and_then(|state| state.end.reason),
            asked: counts.asked,
            ok: counts.ok,
            not_found: counts.not_found,
            failed: counts.failed,
            skipped: counts.skipped,
            next_run_at: schedule.next_after(clock::now()),
            schedule: schedule.pattern().to_owned(),
        }
    }
}
