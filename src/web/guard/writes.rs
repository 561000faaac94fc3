//! Who may change something.

use axum::http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret as _;
use subtle::{Choice, ConstantTimeEq as _};

use super::{Access, Refusal};

pub(super) fn check(
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

/// Whether the request carries a token, once. All are compared, each in constant time.
pub(super) fn has_token(access: &Access, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return false;
    };
    let is_any = access
        .write_tokens
        .iter()
        .map(|known| known.expose_secret().as_bytes().ct_eq(token.trim().as_bytes()))
        .fold(Choice::from(0), |any, one| any | one);
    scheme.eq_ignore_ascii_case("bearer") && is_any.into()
}
