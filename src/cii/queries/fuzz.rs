//! Every reader of an answer, given any answer.

use super::{end_users, failing_checks, ip_users, service, user_state};
use crate::cii::{
    ApiError,
    graphql::Answer,
    rows::{Page, Row, Rows},
};

/// Reads an answer as that to each question; returns what went wrong.
pub(in crate::cii) fn read(answer: &Answer) -> Vec<ApiError> {
    [
        user_state::understand(answer.clone()).err(),
        failing_checks::understand(answer.clone()).err(),
        rows(answer, &end_users::ROWS, end_users::user),
        rows(answer, &ip_users::NEXT_PAGE, ip_users::user),
        rows(answer, &service::INTEGRATIONS, service::integration),
        rows(answer, &service::ADMINS, service::admin),
        rows(answer, &service::DAILY_FAILURES, service::daily_failures),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn rows<T>(answer: &Answer, rows: &Rows, read: fn(&Row<'_>) -> Option<T>) -> Option<ApiError> {
    let Page { items, skipped, .. } = match rows.read(answer.clone(), read) {
        Ok(page) => page,
        Err(error) => return Some(error),
    };
    assert!(items.len() <= answer.max_items, "more rows than are allowed");
    // An error can stand for a row that is not there.
    assert!(items.len() + skipped <= answer.max_items + answer.errors.len());
    None
}
