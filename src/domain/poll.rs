//! How asking about a watched user or address ended.

use serde::Serialize;

use super::{Event, EventName, Timestamp, WatchSubject, event};

/// How the last question about a subject ended. That the service itself was
/// down is no outcome of the subject's: it is the job's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PollOutcome {
    /// With an answer.
    Answered,
    /// The service does not know the subject.
    NotFound,
    /// The service answered with an error about the subject.
    Refused,
    /// The answer could not be understood.
    Malformed,
}

impl PollOutcome {
    const ALL: [Self; 4] = [Self::Answered, Self::NotFound, Self::Refused, Self::Malformed];

    /// The outcome as the store and events write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
        }
    }

    /// The outcome of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// How a job's last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// The service answered to the end.
    Succeeded,
    /// The service failed.
    Failed,
}

impl JobOutcome {
    /// The outcome as the store and events write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The outcome of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Succeeded, Self::Failed].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// What goes into the log when a subject was asked about: nothing when it ended
/// as the time before. That the first question was answered is no news.
#[must_use]
pub fn on_poll(
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    now: PollOutcome,
    at: Timestamp,
) -> Option<Event> {
    let name = match (before, now) {
        (Some(before), now) if before == now => return None,
        (None, PollOutcome::Answered) => EventName::PollBaseline,
        _ => EventName::PollOutcomeChanged,
    };
    Some(event::poll_ended(name, subject, before, now, at))
}

/// What goes into the log when a job's run ended: nothing when it ended as the
/// time before. That the first one succeeded is no news.
#[must_use]
pub fn on_run(
    job: &str,
    before: Option<JobOutcome>,
    now: JobOutcome,
    at: Timestamp,
) -> Option<Event> {
    let is_news = before.unwrap_or(JobOutcome::Succeeded) != now;
    is_news.then(|| event::run_ended(job, before, now, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_outcome_than_before_is_news() {
        use PollOutcome::{Answered, NotFound};
        let subject = WatchSubject::Ip("203.0.113.7".parse().unwrap());
        let name = |before, now| {
            on_poll(&subject, before, now, Timestamp::UNIX_EPOCH).map(|event| event.name)
        };
        assert_eq!(name(None, Answered), Some(EventName::PollBaseline));
        assert_eq!(name(None, NotFound), Some(EventName::PollOutcomeChanged));
        assert_eq!(name(Some(NotFound), NotFound), None);
        assert_eq!(name(Some(NotFound), Answered), Some(EventName::PollOutcomeChanged));
    }

    #[test]
    fn a_job_that_always_succeeded_is_no_news() {
        use JobOutcome::{Failed, Succeeded};
        let news = |before, now| on_run("users", before, now, Timestamp::UNIX_EPOCH).is_some();
        assert!(!news(None, Succeeded) && !news(Some(Failed), Failed));
        assert!(news(None, Failed) && news(Some(Failed), Succeeded));
    }
}
