//! How far the tenant is known: what a page or an answer must say before nobody
//! failing means that nobody fails.

use serde::Serialize;

use super::{Ops, Parts, Polls};
use crate::{
    clock,
    domain::Timestamp,
    store::{JobState, ListingState, Reader, StoreError},
};

/// The job's name in the store.
const JOB: &str = "tenant";

/// Whether the tenant was listed, and if not, what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Listing {
    pub(super) state: State,
    /// When the listing that is under way began.
    pub(super) since: Option<Timestamp>,
    /// Users of the listing that is under way so far; else of the last one.
    pub(super) users: Option<u64>,
    /// When the last listing ended that told who fails what.
    pub(super) completed_at: Option<Timestamp>,
    /// When the next one begins by the schedule; the first one may begin at once.
    pub(super) next_at: Option<Timestamp>,
}

/// Whether the tenant was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// A listing came to its end and told who fails what.
    Complete,
    /// The first one is under way.
    Running,
    /// The first one did not begin yet.
    Waiting,
    /// The last try failed, and none came to its end before.
    Failed,
    /// A listing came to its end and did not tell who fails what.
    Untold,
    /// The API client has no right to list users.
    NoRight,
    /// The listing is switched off.
    Off,
    /// There is no API to ask.
    NoApi,
}

/// What decides beside the store.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    has_api: bool,
    polls: Polls,
}

impl Setting {
    pub(super) fn of(ops: &Ops) -> Self {
        let Parts { api, .. } = ops.sources.parts;
        Self { has_api: api, polls: ops.sources.polls.clone() }
    }
}

/// What is known of the tenant's listing now.
pub(super) fn read(reader: &Reader, setting: &Setting) -> Result<Listing, StoreError> {
    let (listed, job) = (reader.tenant_listing_state()?, reader.job_state(JOB)?);
    Ok(judge(setting, listed, job.as_ref(), clock::now()))
}

fn judge(
    setting: &Setting,
    listed: ListingState,
    job: Option<&JobState>,
    now: Timestamp,
) -> Listing {
    let ListingState { under_way, complete } = listed;
    let nothing =
        |state| Listing { state, since: None, users: None, completed_at: None, next_at: None };
    if !setting.has_api {
        return nothing(State::NoApi);
    }
    // What a listing said before it was switched off gets older and older.
    let Some(schedule) = &setting.polls.tenant else { return nothing(State::Off) };
    let told = complete.filter(|complete| complete.told);
    let state = match job.map(|job| job.end.outcome.as_str()) {
        _ if told.is_some() => State::Complete,
        Some("off") => State::NoRight,
        Some("failed") => State::Failed,
        _ if under_way.is_some() => State::Running,
        _ if complete.is_some() => State::Untold,
        _ => State::Waiting,
    };
    let begins_at_once = setting.polls.tenant_on_start && job.is_none();
    Listing {
        state,
        since: under_way.map(|listing| listing.since),
        users: under_way.map(|listing| listing.users).or(complete.map(|listing| listing.users)),
        completed_at: told.map(|complete| complete.at),
        next_at: if begins_at_once { Some(now) } else { schedule.next_after(now) },
    }
}
