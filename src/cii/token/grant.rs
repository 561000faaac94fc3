//! Parses the answer of the token endpoint (RFC 6749, 5.1).

use std::{fmt, sync::Arc, time::Duration};

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::cii::{error::TokenError, json};

/// A token is renewed this long before it expires, or a tenth of its lifetime
/// before, whichever is shorter.
const MAX_MARGIN: Duration = Duration::from_mins(5);

/// A token is used at least this long: one with a lifetime of 0 must not cause a token request for
/// each request.
pub(super) const LEAST_USE: Duration = Duration::from_secs(30);

const DEFAULT_LIFETIME: Duration = Duration::from_hours(1);
pub(super) const MAX_LIFETIME: Duration = Duration::from_hours(30 * 24);

const NOT_A_HEADER: &str = "its access_token has characters that no header may hold";

/// An access token; clones are equal by identity.
#[derive(Clone)]
pub(in crate::cii) struct Bearer(Arc<SecretString>);

#[derive(Debug)]
pub(super) struct Grant {
    pub(super) bearer: Bearer,
    pub(super) lifetime: Duration,
}

impl Bearer {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(in crate::cii) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(in crate::cii) fn header(&self) -> Result<HeaderValue, TokenError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.expose()))
            .map_err(|_| TokenError::Malformed(NOT_A_HEADER))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer([REDACTED])")
    }
}

/// How long a token is used.
pub(super) fn use_time(lifetime: Duration) -> Duration {
    lifetime.saturating_sub((lifetime / 10).min(MAX_MARGIN)).max(LEAST_USE)
}

/// Reads the token of a successful answer.
pub(super) fn read_grant(body: &[u8]) -> Result<Grant, TokenError> {
    let malformed = |what| Err(TokenError::Malformed(what));
    let Ok(body) = json::parse(body) else {
        return malformed("it is not JSON; is it the token URL that the console shows?");
    };
    let Some(token) = body.get("access_token").and_then(Value::as_str).filter(|t| !t.is_empty())
    else {
        return malformed("it has no access_token");
    };
    let token_type = body.get("token_type").and_then(Value::as_str).unwrap_or("Bearer");
    if !token_type.eq_ignore_ascii_case("Bearer") {
        return malformed("its token_type is not Bearer");
    }
    let bearer = Bearer(Arc::new(SecretString::from(token)));
    bearer.header()?;
    let lifetime = body.get("expires_in").and_then(read_lifetime).unwrap_or(DEFAULT_LIFETIME);
    Ok(Grant { bearer, lifetime: lifetime.clamp(LEAST_USE, MAX_LIFETIME) })
}

/// Reads a number of seconds, which some servers write as a text. A negative one is 0.
fn read_lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        value => value.as_f64()?,
    };
    let most = MAX_LIFETIME.as_secs_f64();
    (!seconds.is_nan()).then(|| Duration::from_secs_f64(seconds.clamp(0.0, most)))
}
