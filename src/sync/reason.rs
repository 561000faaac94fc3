//! What an API error means for a target and for a run.

use crate::{
    cii::{ApiError, GraphqlError, HttpError, PathSegment},
    domain::{PollEnd, PollError, PollOutcome, poll::MAX_POLL_ERRORS, run::bound_reason},
};

/// The HTTP status of GraphQL answers, including those with errors.
const OK: u16 = 200;

/// Describes an error: the first of the service's errors, by type and message.
pub(super) fn describe_error(error: &ApiError) -> String {
    error.errors().first().map_or_else(|| error.to_string(), describe_graphql_error)
}

fn describe_graphql_error(error: &GraphqlError) -> String {
    match (&error.error_type, error.message.as_str()) {
        (Some(name), "") => name.clone(),
        (Some(name), message) => format!("{name}: {message}"),
        (None, "") => "an error without type and message".to_owned(),
        (None, message) => message.to_owned(),
    }
}

/// How a failure ends the target's poll; none when the service itself is at fault.
pub(super) fn poll_end(error: &ApiError) -> Option<PollEnd> {
    let (outcome, reason, status) = match error {
        ApiError::Graphql(_) if error.is_not_found() => {
            (PollOutcome::NotFound, describe_error(error), Some(OK))
        }
        ApiError::Graphql(_) => (PollOutcome::Refused, describe_error(error), Some(OK)),
        ApiError::NoRight { field } => {
            (PollOutcome::Refused, format!("no right to {field}"), Some(OK))
        }
        ApiError::Malformed(_) => (PollOutcome::Malformed, error.to_string(), None),
        _ => return None,
    };
    let errors = poll_errors(error.errors());
    Some(PollEnd { outcome, reason: Some(bound_reason(&reason)), errors, status })
}

/// The end of a poll that was answered, with errors beside the data.
pub(super) fn answered_with_errors(errors: &[GraphqlError]) -> PollEnd {
    let reason = errors.first().map(|error| bound_reason(&format!("told in part: {error}")));
    PollEnd { reason, errors: poll_errors(errors), ..PollEnd::answered() }
}

/// The service's errors as they are stored.
pub(super) fn poll_errors(errors: &[GraphqlError]) -> Vec<PollError> {
    errors.iter().take(MAX_POLL_ERRORS).map(poll_error).collect()
}

fn poll_error(error: &GraphqlError) -> PollError {
    PollError {
        path: path_text(&error.path),
        error_type: error.error_type.clone(),
        message: error.message.clone(),
        error_info: error.error_info.clone(),
        data: error.data.clone(),
    }
}

fn path_text(path: &[PathSegment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            PathSegment::Field(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            PathSegment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
    text
}

/// Whether every other request would fail the same way.
pub(super) const fn is_service_wide(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Token(_)
            | ApiError::Unauthorized
            | ApiError::Resting { .. }
            | ApiError::Http(HttpError::Throttled { .. } | HttpError::Connect(_))
    )
}
