//! The event that reports how the poll of a subject ended.

use super::{PollEnd, PollOutcome};
use crate::domain::{Event, EventName, Timestamp, WatchSubject, event::key, run::append_reason};

/// `cii.poll.outcome.changed`, or the event of a subject's first answer.
pub(super) fn poll_ended(
    name: EventName,
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    end: &PollEnd,
    at: Timestamp,
) -> Event {
    let text = subject.to_string();
    let mut body = match end.outcome {
        PollOutcome::Answered => format!("The service answers about {text}"),
        PollOutcome::NotFound => format!("The service does not know {text}"),
        PollOutcome::Refused => format!("The service answers with an error about {text}"),
        PollOutcome::Malformed => {
            format!("The service's answer about {text} cannot be understood")
        }
    };
    append_reason(&mut body, end.reason.as_deref());
    let mut event = Event::new(name, at, at, body);
    event.set_subject(subject);
    event.set(key::POLL_OUTCOME, end.outcome.as_str());
    event.set_if_some(key::POLL_OUTCOME_PREVIOUS, before.map(PollOutcome::as_str));
    event.set_if_some(key::ERROR_MESSAGE, end.reason.as_ref());
    if !end.errors.is_empty() {
        let errors: Vec<_> = end.errors.iter().map(ToString::to_string).collect();
        event.set(key::POLL_ERRORS, errors);
    }
    event
}
