//! How the poll of a watched user or address ended.

mod event;

use super::{Event, EventName, Timestamp, WatchSubject, run::bound_reason};
use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr};

/// The outcome of the last poll of a subject. That the service itself was down is the outcome of
/// the job, and not of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PollOutcome {
    /// The service answered.
    Answered,
    /// The service does not know the subject.
    NotFound,
    /// The service answered with an error about the subject.
    Refused,
    /// The answer could not be decoded.
    Malformed,
}

impl PollOutcome {
    /// The outcome as the store and events write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The outcome of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// An error of the service about a subject, with the fields that the Okta card shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollError {
    /// The part of the answer that it concerns, such as `getEndUserState.ipAddresses`; empty for
    /// the whole answer.
    pub path: String,
    /// The service's name for this type of error.
    pub error_type: Option<String>,
    /// The service's message.
    pub message: String,
    /// `errorInfo`, as JSON.
    pub error_info: Option<String>,
    /// `data`, as JSON.
    pub data: Option<String>,
}

impl std::fmt::Display for PollError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [Some(self.path.as_str()), self.error_type.as_deref(), Some(&self.message)];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        f.write_str(&parts.join(": "))?;
        for (name, value) in [("errorInfo", &self.error_info), ("data", &self.data)] {
            if let Some(value) = value {
                write!(f, " ({name} {value})")?;
            }
        }
        Ok(())
    }
}

/// Errors that are stored of one answer at most.
pub const MAX_POLL_ERRORS: usize = 10;

/// How a poll of a subject ended, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollEnd {
    /// The outcome.
    pub outcome: PollOutcome,
    /// The reason, in words; none for a complete answer.
    pub reason: Option<String>,
    /// The service's errors, at most [`MAX_POLL_ERRORS`]; an answer with data can have some, too.
    pub errors: Vec<PollError>,
    /// The HTTP status of the answer, if known.
    pub status: Option<u16>,
}

impl PollEnd {
    /// An answer without errors.
    #[must_use]
    pub const fn answered() -> Self {
        Self { outcome: PollOutcome::Answered, reason: None, errors: Vec::new(), status: Some(200) }
    }

    /// A refusal without an error of the service that explains it.
    #[must_use]
    pub fn refused(reason: &str) -> Self {
        Self {
            outcome: PollOutcome::Refused,
            reason: Some(bound_reason(reason)),
            errors: Vec::new(),
            status: Some(200),
        }
    }
}

/// How long the service must report an address as unknown before the address has no users. It must
/// report so twice, an hour apart. Runs an hour apart can be up to a tenth closer by chance, so
/// this is a little less than an hour.
const CONFIRMATION: TimeDelta = TimeDelta::minutes(55);

/// Whether the service has reported an address as unknown for long enough: `before` is the last
/// outcome and since when polls end with it.
#[must_use]
pub fn is_confirmed_absent(before: Option<(PollOutcome, Timestamp)>, at: Timestamp) -> bool {
    matches!(before, Some((PollOutcome::NotFound, since)) if at - since >= CONFIRMATION)
}

/// How long the service may report a user as unknown before the user's snapshot no longer counts.
/// The failures of an unknown user stay open as long.
const UNKNOWN_GRACE: TimeDelta = TimeDelta::hours(24);

/// Whether the service has reported a user as unknown for longer than the grace: `poll` is the last
/// outcome and since when polls end with it.
#[must_use]
pub fn is_confirmed_unknown(poll: Option<(PollOutcome, Timestamp)>, at: Timestamp) -> bool {
    matches!(poll, Some((PollOutcome::NotFound, since)) if at - since >= UNKNOWN_GRACE)
}

/// The event of a poll; none when it ended as the previous one. A first poll that was answered gets
/// an internal event.
#[must_use]
pub fn on_poll(
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    end: &PollEnd,
    at: Timestamp,
) -> Option<Event> {
    let name = match (before, end.outcome) {
        (Some(before), now) if before == now => return None,
        (None, PollOutcome::Answered) => EventName::PollBaseline,
        _ => EventName::PollOutcomeChanged,
    };
    Some(event::poll_ended(name, subject, before, end, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_outcome_than_before_is_news() {
        use PollOutcome::{Answered, NotFound};
        let subject = WatchSubject::Ip("203.0.113.7".parse().unwrap());
        let name = |before, outcome| {
            let end = PollEnd { outcome, ..PollEnd::answered() };
            on_poll(&subject, before, &end, Timestamp::UNIX_EPOCH).map(|event| event.name)
        };
        assert_eq!(name(None, Answered), Some(EventName::PollBaseline));
        assert_eq!(name(None, NotFound), Some(EventName::PollOutcomeChanged));
        assert_eq!(name(Some(NotFound), NotFound), None);
        assert_eq!(name(Some(NotFound), Answered), Some(EventName::PollOutcomeChanged));
    }

    #[test]
    fn a_user_is_gone_after_a_day_without_being_known() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + TimeDelta::hours(hour);
        for (outcome, hours, is_gone) in [
            (PollOutcome::NotFound, 23, false),
            (PollOutcome::NotFound, 24, true),
            (PollOutcome::Refused, 48, false),
        ] {
            assert_eq!(is_confirmed_unknown(Some((outcome, at(0))), at(hours)), is_gone);
        }
    }

    #[test]
    fn an_address_is_absent_after_two_such_answers_an_hour_apart() {
        let at = |minute: i64| Timestamp::UNIX_EPOCH + TimeDelta::minutes(minute);
        let since = |outcome, minute| Some((outcome, at(minute)));
        assert!(!is_confirmed_absent(None, at(60)));
        assert!(!is_confirmed_absent(since(PollOutcome::NotFound, 10), at(60)));
        assert!(is_confirmed_absent(since(PollOutcome::NotFound, 0), at(55)));
        assert!(!is_confirmed_absent(since(PollOutcome::Answered, 0), at(600)));
    }
}
