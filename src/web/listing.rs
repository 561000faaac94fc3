//! The state of the tenant listing. Until one is complete, a check without failing users may still
//! have some.

use serde::Serialize;

use super::{Ops, Parts, Polls};
use crate::{
    clock,
    domain::{JobOutcome, Timestamp},
    store::{JobState, ListingState, Reader, StoreError},
};

/// The job's name in the store.
const JOB: &str = "tenant";

/// Whether the tenant was listed, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Listing {
    pub(super) state: State,
    /// When the running listing began.
    pub(super) since: Option<Timestamp>,
    /// Users that the running listing has returned so far; else those of the last one.
    pub(super) users: Option<u64>,
    /// Rows of that listing that could not be parsed: their users are missing.
    pub(super) skipped: Option<u64>,
    /// When the last listing ended that contained the failing checks.
    pub(super) completed_at: Option<Timestamp>,
    /// When the next listing begins. The first one may begin at the start, before its schedule.
    pub(super) next_at: Option<Timestamp>,
    /// Why the last run failed; `None` when it succeeded.
    pub(super) reason: Option<String>,
}

/// The state of the tenant listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// A listing completed and contained the failing checks.
    Complete,
    /// The first listing is running.
    Running,
    /// The first listing has not begun.
    Waiting,
    /// The last run failed, and no listing completed before.
    Failed,
    /// A listing completed without the failing checks: the service returned null for them.
    Untold,
    /// The API client lacks the right to list users.
    NoRight,
    /// The configuration switches the listing off.
    Off,
    /// There is no `[api]`.
    NoApi,
}

/// The settings that the state depends on.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    has_api: bool,
    polls: Polls,
}

impl Setting {
    pub(super) fn from_ops(ops: &Ops) -> Self {
        let Parts { api, .. } = ops.sources.parts;
        Self { has_api: api, polls: ops.sources.polls.clone() }
    }
}

/// Reads the current state of the tenant listing.
pub(super) fn read_listing(reader: &Reader, setting: &Setting) -> Result<Listing, StoreError> {
    let (listed, job) = (reader.tenant_listing_state()?, reader.job_state(JOB)?);
    Ok(judge_listing(setting, listed, job.as_ref(), clock::now()))
}

fn judge_listing(
    setting: &Setting,
    listed: ListingState,
    job: Option<&JobState>,
    now: Timestamp,
) -> Listing {
    let ListingState { under_way, complete } = listed;
    let nothing = |state| Listing {
        state,
        since: None,
        users: None,
        skipped: None,
        completed_at: None,
        next_at: None,
        reason: None,
    };
    if !setting.has_api {
        return nothing(State::NoApi);
    }
    // A listing from before the switch-off is no longer updated, so it is not shown as complete.
    let Some(schedule) = &setting.polls.tenant else { return nothing(State::Off) };
    let told = complete.filter(|complete| complete.told);
    let end = job.map(|job| &job.end);
    let state = match end.map(|end| end.outcome) {
        _ if told.is_some() => State::Complete,
        Some(JobOutcome::Off) => State::NoRight,
        Some(JobOutcome::Failed) => State::Failed,
        _ if under_way.is_some() => State::Running,
        _ if complete.is_some() => State::Untold,
        _ => State::Waiting,
    };
    let begins_at_once = setting.polls.tenant_on_start && job.is_none();
    Listing {
        state,
        since: under_way.map(|listing| listing.since),
        users: under_way.map(|listing| listing.users).or(complete.map(|listing| listing.users)),
        skipped: under_way
            .map(|listing| listing.skipped)
            .or(complete.map(|listing| listing.skipped)),
        completed_at: told.map(|complete| complete.at),
        next_at: if begins_at_once { Some(now) } else { schedule.next_after(now) },
        reason: end
            .filter(|end| end.outcome != JobOutcome::Succeeded)
            .and_then(|end| end.reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{RunCounts, RunEnd, run::RunHours},
        store::{ListingComplete, ListingUnderWay},
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn setting(has_api: bool, schedule: Option<&str>) -> Setting {
        let tenant = schedule.map(|schedule| schedule.parse().unwrap());
        Setting { has_api, polls: Polls { tenant, tenant_on_start: true, ..Polls::default() } }
    }

    fn job(outcome: JobOutcome) -> JobState {
        let reason = (outcome != JobOutcome::Succeeded).then(|| "because".to_owned());
        let end = RunEnd { outcome, reason, counts: RunCounts::default() };
        JobState {
            end,
            since: NOW,
            last_begun_at: NOW,
            last_success_at: None,
            hours: RunHours::default(),
        }
    }

    fn listed(is_under_way: bool, told: Option<bool>) -> ListingState {
        let under_way = ListingUnderWay { since: NOW, users: 5, pages: 1, skipped: 2 };
        let complete = |told| ListingComplete { at: NOW, users: 9, skipped: 0, told };
        ListingState { under_way: is_under_way.then_some(under_way), complete: told.map(complete) }
    }

    #[test]
    fn only_a_listing_that_told_who_fails_what_is_complete() {
        use JobOutcome::{Failed, Off, Succeeded};
        let hourly = || setting(true, Some("0 0 * * * *"));
        for (setting, listed, outcome, expected) in [
            (setting(false, None), listed(false, None), None, State::NoApi),
            (setting(true, None), listed(false, Some(true)), None, State::Off),
            (hourly(), listed(false, None), None, State::Waiting),
            (hourly(), listed(true, None), None, State::Running),
            (hourly(), listed(true, None), Some(Failed), State::Failed),
            (hourly(), listed(false, None), Some(Off), State::NoRight),
            (hourly(), listed(false, Some(false)), Some(Succeeded), State::Untold),
            (hourly(), listed(false, Some(false)), Some(Failed), State::Failed),
            (hourly(), listed(false, Some(true)), Some(Succeeded), State::Complete),
            (hourly(), listed(true, Some(true)), Some(Off), State::Complete),
        ] {
            let job = outcome.map(job);
            let judged = judge_listing(&setting, listed, job.as_ref(), NOW);
            assert_eq!(judged.state, expected, "{judged:?}");
            let is_excused = matches!(outcome, None | Some(Succeeded));
            assert_eq!(judged.reason.is_none(), is_excused, "{judged:?}");
            assert_eq!(judged.completed_at.is_some(), expected == State::Complete, "{judged:?}");
        }
    }
}
