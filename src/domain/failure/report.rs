//! What the API reports about the checks that a user fails, and what is open.

use std::collections::BTreeSet;

use super::super::{Login, Timestamp};

/// By how much a moment may be ahead and still be one to trust: answers that come
/// together are recorded one after the other.
pub const CLOCK_ERROR: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// What the service says of the checks that a user fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The user fails these and no others; ids or titles, as the service wrote
    /// them.
    Fails(BTreeSet<String>),
    /// The service does not know the user.
    Unknown,
}

/// An answer about one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureAnswer {
    /// Who.
    pub login: Login,
    /// What it says.
    pub verdict: Verdict,
    /// When the question was asked: what happened later is not in the answer.
    pub asked_at: Timestamp,
    /// When it came.
    pub answered_at: Timestamp,
    /// For how long after its report no answer like this ends a failure: the API
    /// can lag behind the webhook, and an answer that was asked for because of a
    /// delivery comes soon after it.
    pub settle: chrono::TimeDelta,
}

impl FailureAnswer {
    /// Up to when the answer is taken to know everything.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.asked_at - self.settle
    }

    /// Whether a failure was reported so recently that its absence says nothing.
    pub(super) fn comes_too_early_for(&self, failure: &OpenFailure) -> bool {
        !self.settle.is_zero() && (self.as_of()..=self.asked_at).contains(&failure.reported_at)
    }

    /// Whether something was said at this moment that the answer cannot know of.
    /// What is from the future of the answer was said by a clock that was ahead,
    /// and counts for nothing.
    pub(super) fn is_older_than(&self, moment: Timestamp) -> bool {
        (self.asked_at..=self.answered_at + CLOCK_ERROR).contains(&moment)
    }
}

/// A failure that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFailure {
    /// When the service last said so.
    pub reported_at: Timestamp,
    /// When it began, as far as is known.
    pub opened_at: Timestamp,
}
