//! Parses the header `Authorization`: Basic (RFC 7617) and Bearer (RFC 6750).

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

/// Decodes Base64 with or without padding: senders differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The credential of a request.
pub enum Authorization {
    /// A user and a password.
    Basic {
        /// The user's name.
        user: Vec<u8>,
        /// The password.
        password: Vec<u8>,
    },
    /// A token.
    Bearer(Vec<u8>),
}

impl Authorization {
    /// Parses the header; `None` when it is absent, has another scheme, or is invalid.
    ///
    /// # Errors
    /// When the header occurs twice: a proxy on the way may have checked the other one.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, GivenTwice> {
        Ok(single_header(headers, header::AUTHORIZATION.as_str())?.and_then(Self::parse))
    }

    fn parse(value: &HeaderValue) -> Option<Self> {
        let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(rest.as_bytes().to_vec()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let mut user = BASE64.decode(rest).ok()?;
        let colon = user.iter().position(|byte| *byte == b':')?;
        let password = user.split_off(colon + 1);
        user.truncate(colon);
        Some(Self::Basic { user, password })
    }
}

/// A header occurs more than once.
#[derive(Debug, Clone, Copy)]
pub struct GivenTwice;

/// Returns a header's value; `None` when it is absent.
pub(super) fn single_header<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a HeaderValue>, GivenTwice> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(GivenTwice) } else { Ok(first) }
}

/// Whether this is one of the secrets. All are compared, each in constant time, so that the time
/// does not reveal a partial match.
#[must_use]
pub fn matches_any(secrets: &[SecretString], given: &[u8]) -> Choice {
    secrets
        .iter()
        .map(|secret| secret.expose_secret().as_bytes().ct_eq(given))
        .fold(Choice::from(0), |any, one| any | one)
}
