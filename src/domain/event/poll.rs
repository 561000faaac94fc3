//! Events about asking: polls of subjects, and runs of jobs.

use super::{Event, EventName, key};
use crate::domain::{JobOutcome, PollOutcome, Timestamp, WatchSubject};

/// `cii.poll.outcome.changed`, or the entry for a subject's first answer.
#[must_use]
pub fn poll_ended(
    name: EventName,
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    now: PollOutcome,
    at: Timestamp,
) -> Event {
    let text = subject.text();
    let body = match now {
        PollOutcome::Answered => format!("The service answers about {text}"),
        PollOutcome::NotFound => format!("The service does not know {text}"),
        PollOutcome::Refused => format!("The service answers with an error about {text}"),
        PollOutcome::Malformed => {
            format!("The service's answer about {text} cannot be understood")
        }
    };
    let mut event = Event::new(name, at, at, body);
    event.about_subject(subject);
    event.set(key::POLL_OUTCOME, now.as_str());
    event.set_some(key::POLL_OUTCOME_PREVIOUS, before.map(PollOutcome::as_str));
    event
}

/// `cii.sync.outcome.changed`: a job began or ceased to fail.
#[must_use]
pub fn run_ended(job: &str, before: Option<JobOutcome>, now: JobOutcome, at: Timestamp) -> Event {
    let body = match now {
        JobOutcome::Succeeded => format!("The job {job:?} succeeds again"),
        JobOutcome::Failed => format!("The job {job:?} failed: the service did not answer"),
    };
    let mut event = Event::new(EventName::SyncOutcomeChanged, at, at, body);
    event.set(key::SYNC_JOB, job);
    event.set(key::SYNC_OUTCOME, now.as_str());
    event.set_some(key::SYNC_OUTCOME_PREVIOUS, before.map(JobOutcome::as_str));
    event
}
