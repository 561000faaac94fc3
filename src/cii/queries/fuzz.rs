//! Fuzz target: any answer for each reader.

use super::{end_users, failing_checks, ip_users, service, user_state};
use crate::cii::{
    ApiError,
    graphql::Answer,
    rows::{Page, Row, Rows},
};

/// Reads an answer as that to each request; returns the errors.
pub(in crate::cii) fn read(answer: &Answer) -> Vec<ApiError> {
    [
        user_state::read_answer(answer.clone()).err(),
        failing_checks::read_answer(answer.clone()).err(),
        read_rows(answer, &end_users::ROWS, end_users::read_user),
        read_rows(answer, &ip_users::NEXT_PAGE, ip_users::read_user),
        read_rows(answer, &service::INTEGRATIONS, service::read_integration),
        read_rows(answer, &service::ADMINS, service::read_admin),
        read_rows(answer, &service::DAILY_FAILURES, service::read_day),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read_rows<T>(answer: &Answer, rows: &Rows, read: fn(&Row<'_>) -> Option<T>) -> Option<ApiError> {
    let Page { items, skipped, .. } = match rows.read(answer.clone(), read) {
        Ok(page) => page,
        Err(error) => return Some(error),
    };
    assert!(items.len() <= answer.max_items, "more rows than are allowed");
    // An error can be about a row that is not in the list.
    assert!(items.len() + skipped <= answer.max_items + answer.errors.len());
    None
}
