//! Checks whether a request may change state.

use axum::http::{HeaderMap, StatusCode};

use super::{Access, Refusal};
use crate::ingest::{Authorization, matches_any};

pub(super) fn check_write(
    access: &Access,
    headers: &HeaderMap,
    is_known_user: bool,
) -> Result<(), Refusal> {
    if access.read_only {
        let detail = "nothing is changed over this listener (ops.read_only); on the exporter's \
                      machine, use its commands";
        return Err(Refusal::new(StatusCode::FORBIDDEN, detail));
    }
    if access.write_tokens.is_empty() || is_known_user || has_token(access, headers) {
        return Ok(());
    }
    Err(Refusal {
        challenge: Some("Bearer"),
        ..Refusal::new(
            StatusCode::UNAUTHORIZED,
            "a change needs the token of ops.write_token, as authorization: Bearer",
        )
    })
}

/// Whether the request has a valid token. An `Authorization` header that is given twice is none.
pub(super) fn has_token(access: &Access, headers: &HeaderMap) -> bool {
    let Ok(Some(Authorization::Bearer(token))) = Authorization::from_headers(headers) else {
        return false;
    };
    matches_any(&access.write_tokens, &token).into()
}
