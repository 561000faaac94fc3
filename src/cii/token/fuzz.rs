//! Any answer to a request for a token.

use super::grant::{LEAST_USE, MAX_LIFETIME, grant, keep_for};

/// Reads an answer's body as that of the token endpoint.
pub(in crate::cii) fn read_grant(body: &[u8]) {
    let Ok(grant) = grant(body) else { return };
    assert!(grant.bearer.header().is_ok(), "a token that no header can hold");
    assert!((LEAST_USE..=MAX_LIFETIME).contains(&keep_for(grant.lifetime)));
}
