//! The API's report about the checks that a user fails, and the failures that are open.

use std::collections::BTreeSet;

use super::super::{Login, Timestamp};

/// By how much a moment may be in the future and still be trusted: answers that arrive together are
/// recorded one after the other.
pub const CLOCK_ERROR: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// The service's answer about the checks that a user fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The user fails exactly these checks; ids or titles, as the service wrote them.
    Fails(BTreeSet<String>),
    /// The service does not know the user.
    Unknown,
    /// The service does not know so many users that it is more likely at fault itself.
    Suspect,
}

/// An answer about one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureAnswer {
    /// The user's login.
    pub login: Login,
    /// The answer.
    pub verdict: Verdict,
    /// When it was requested: later events are not in the answer.
    pub asked_at: Timestamp,
    /// When it came.
    pub answered_at: Timestamp,
    /// For how long after a delivery named a user no answer ends the failure: the API lags behind
    /// the webhook.
    pub settle: chrono::TimeDelta,
}

impl FailureAnswer {
    /// Whether a failure was published so recently that its absence proves nothing.
    pub(super) fn is_too_early_for(&self, failure: &OpenFailure) -> bool {
        failure.named_at.is_some_and(|named_at| {
            let is_settled = named_at < self.asked_at && named_at <= self.asked_at - self.settle;
            !is_settled && !self.is_from_the_future(named_at)
        })
    }

    /// Whether something was reported at this moment that the answer cannot include.
    pub(super) fn is_older_than(&self, moment: Timestamp) -> bool {
        moment >= self.asked_at && !self.is_from_the_future(moment)
    }

    /// Whether the moment is later than the answer allows: it came from a clock that was ahead, and
    /// does not count.
    fn is_from_the_future(&self, moment: Timestamp) -> bool {
        moment > self.answered_at + CLOCK_ERROR
    }
}

/// An open failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFailure {
    /// The number of its check.
    pub check: i64,
    /// When it began, as far as is known.
    pub opened_at: Timestamp,
    /// When the newest delivery that names the user was published; none when only answers reported
    /// the failure.
    pub named_at: Option<Timestamp>,
    /// Whether the last answer that listed it did so by the check's title.
    pub by_title: bool,
    /// Whether it was announced as new.
    pub is_announced: bool,
}
