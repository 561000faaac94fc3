//! Paging by opaque tokens.

use async_graphql::Error;

use super::failure;

/// How many items a page may have.
pub(super) struct Limits {
    pub(super) usual: usize,
    pub(super) most: usize,
}

/// The page that starts where `token` says, and the token of the next one.
pub(super) fn page<T>(
    items: Vec<T>,
    limits: &Limits,
    size: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let size = match size {
        None => limits.usual,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=limits.most).contains(size))
            .ok_or_else(|| {
                let message = format!("pageSize must be from 1 to {}", limits.most);
                failure("BadRequest", &message)
            })?,
    };
    let start = match token {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .filter(|start| *start <= items.len())
            .ok_or_else(|| failure("BadRequest", "pageToken is none of this service"))?,
    };
    let end = (start + size).min(items.len());
    let next = (end < items.len()).then(|| format!("page-{end:x}"));
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}
