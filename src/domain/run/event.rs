//! The event that reports how a job's run ended.

use super::{JobOutcome, RunEnd, append_reason};
use crate::domain::{Event, EventName, Timestamp, event::key};

/// `cii.sync.outcome.changed`: a job began or stopped failing, or being off.
pub(super) fn run_ended(
    job: &str,
    before: Option<JobOutcome>,
    end: &RunEnd,
    at: Timestamp,
) -> Event {
    let mut body = match end.outcome {
        JobOutcome::Succeeded => format!("The job {job:?} succeeds again"),
        JobOutcome::Failed => format!("The job {job:?} failed"),
        JobOutcome::Off => format!("The job {job:?} is off"),
    };
    append_reason(&mut body, end.reason.as_deref());
    let mut event = Event::new(EventName::SyncOutcomeChanged, at, at, body);
    event.set(key::SYNC_JOB, job);
    event.set(key::SYNC_OUTCOME, end.outcome.as_str());
    event.set_if_some(key::SYNC_OUTCOME_PREVIOUS, before.map(JobOutcome::as_str));
    event.set_if_some(key::ERROR_MESSAGE, end.reason.as_ref());
    event
}
