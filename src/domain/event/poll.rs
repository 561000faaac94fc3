//! Events about asking: polls of subjects, and runs of jobs.

use super::{Event, EventName, key};
use crate::domain::{JobOutcome, PollEnd, PollOutcome, RunEnd, Timestamp, WatchSubject};

/// `cii.poll.outcome.changed`, or the entry for a subject's first answer.
#[must_use]
pub fn poll_ended(
    name: EventName,
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    end: &PollEnd,
    at: Timestamp,
) -> Event {
    let text = subject.text();
    let mut body = match end.outcome {
        PollOutcome::Answered => format!("The service answers about {text}"),
        PollOutcome::NotFound => format!("The service does not know {text}"),
        PollOutcome::Refused => format!("The service answers with an error about {text}"),
        PollOutcome::Malformed => {
            format!("The service's answer about {text} cannot be understood")
        }
    };
    because(&mut body, end.reason.as_deref());
    let mut event = Event::new(name, at, at, body);
    event.about_subject(subject);
    event.set(key::POLL_OUTCOME, end.outcome.as_str());
    event.set_some(key::POLL_OUTCOME_PREVIOUS, before.map(PollOutcome::as_str));
    event.set_some(key::ERROR_MESSAGE, end.reason.as_ref());
    if !end.errors.is_empty() {
        let errors: Vec<_> = end.errors.iter().map(ToString::to_string).collect();
        event.set(key::POLL_ERRORS, errors);
    }
    event
}

/// `cii.sync.outcome.changed`: a job began or ceased to fail, or to be off.
#[must_use]
pub fn run_ended(job: &str, before: Option<JobOutcome>, end: &RunEnd, at: Timestamp) -> Event {
    let mut body = match end.outcome {
        JobOutcome::Succeeded => format!("The job {job:?} succeeds again"),
        JobOutcome::Failed => format!("The job {job:?} failed"),
        JobOutcome::Off => format!("The job {job:?} is off"),
    };
    because(&mut body, end.reason.as_deref());
    let mut event = Event::new(EventName::SyncOutcomeChanged, at, at, body);
    event.set(key::SYNC_JOB, job);
    event.set(key::SYNC_OUTCOME, end.outcome.as_str());
    event.set_some(key::SYNC_OUTCOME_PREVIOUS, before.map(JobOutcome::as_str));
    event.set_some(key::ERROR_MESSAGE, end.reason.as_ref());
    event
}

fn because(body: &mut String, reason: Option<&str>) {
    if let Some(reason) = reason {
        body.push_str(": ");
        body.push_str(reason);
    }
}
