//! JSON form of poll results.

use serde::Serialize;

use crate::{
    domain::{self, Timestamp},
    store,
};

/// The result of a subject's last poll.
#[derive(Debug, Serialize)]
pub struct PollState {
    outcome: &'static str,
    since: Timestamp,
    last_at: Timestamp,
    answered_at: Option<Timestamp>,
    reason: Option<String>,
    errors: Vec<PollError>,
    status: Option<u16>,
}

/// An error in the service's answer about the subject.
#[derive(Debug, Serialize)]
pub struct PollError {
    path: String,
    error_type: Option<String>,
    message: String,
    error_info: Option<String>,
    data: Option<String>,
}

impl From<store::PollState> for PollState {
    fn from(poll: store::PollState) -> Self {
        Self {
            outcome: poll.outcome.as_str(),
            since: poll.since,
            last_at: poll.last_at,
            answered_at: poll.answered_at,
            reason: poll.reason,
            errors: poll.errors.into_iter().map(PollError::from).collect(),
            status: poll.status,
        }
    }
}

impl From<domain::PollError> for PollError {
    fn from(error: domain::PollError) -> Self {
        let domain::PollError { path, error_type, message, error_info, data } = error;
        Self { path, error_type, message, error_info, data }
    }
}
