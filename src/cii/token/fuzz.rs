//! Fuzz target: answers to token requests.

use super::grant::{LEAST_USE, MAX_LIFETIME, read_grant, use_time};

/// Reads a body as the answer of the token endpoint.
pub(in crate::cii) fn check_grant(body: &[u8]) {
    let Ok(grant) = read_grant(body) else { return };
    assert!(grant.bearer.header().is_ok(), "a token that no header can hold");
    assert!((LEAST_USE..=MAX_LIFETIME).contains(&use_time(grant.lifetime)));
}
