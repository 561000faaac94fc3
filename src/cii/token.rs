//! The access token: OAuth 2.0 client credentials, in the JSON form that the
//! service's token endpoint asks for.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{StatusCode, Url, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use super::{
    error::TokenError,
    exchange::Exchange,
    json,
    meters::{Meters, Operation, Outcome},
};
use crate::clock;

/// A token is renewed this long before it expires, or a tenth of its lifetime
/// before, whichever is shorter.
const MAX_MARGIN: Duration = Duration::from_mins(5);
const DEFAULT_LIFETIME: Duration = Duration::from_hours(1);
const MAX_LIFETIME: Duration = Duration::from_hours(30 * 24);

const MAX_CODE_CHARS: usize = 40;

/// Who asks for tokens.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) audience: Option<String>,
}

/// An access token; clones are the same token.
#[derive(Clone)]
pub(super) struct Bearer(Arc<SecretString>);

/// Hands out one access token to everybody and renews it in time.
#[derive(Debug)]
pub(super) struct TokenSource {
    http: reqwest::Client,
    url: Url,
    credentials: Credentials,
    meters: Meters,
    /// Requests for a token that have ended, well or not.
    ended: AtomicU64,
    /// Held while a token is requested, so that all who need one wait for it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    /// How the last request failed, unless it succeeded.
    failure: Option<TokenError>,
}

#[derive(Debug)]
struct Current {
    bearer: Bearer,
    renew_at: Instant,
}

struct Grant {
    bearer: Bearer,
    lifetime: Duration,
}

#[derive(Serialize)]
struct Request<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
}

impl TokenSource {
    pub(super) fn new(
        http: reqwest::Client,
        url: Url,
        credentials: Credentials,
        meters: Meters,
    ) -> Self {
        let (ended, state) = (AtomicU64::new(0), Mutex::default());
        Self { http, url, credentials, meters, ended, state }
    }

    /// The token in use, or a new one when it is about to expire. Whoever comes
    /// while one is being requested shares that request, and its failure.
    pub(super) async fn bearer(&self) -> Result<Bearer, TokenError> {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(current) = &state.current
            && Instant::now() < current.renew_at
        {
            return Ok(current.bearer.clone());
        }
        if let Some(failure) = &state.failure
            && self.ended.load(Ordering::Acquire) > ended_before
        {
            return Err(failure.clone());
        }
        let granted = self.request().await;
        self.ended.fetch_add(1, Ordering::Release);
        match granted {
            Ok(Grant { bearer, lifetime }) => {
                let renew_at = Instant::now() + keep_for(lifetime);
                *state = State {
                    current: Some(Current { bearer: bearer.clone(), renew_at }),
                    failure: None,
                };
                self.meters.token_expires(Some(clock::now() + lifetime));
                Ok(bearer)
            }
            Err(failure) => {
                state.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Drops a token that the API refused, unless another has taken its place.
    pub(super) async fn invalidate(&self, refused: &Bearer) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| current.bearer.is(refused)) {
            state.current = None;
            self.meters.token_expires(None);
        }
    }

    async fn request(&self) -> Result<Grant, TokenError> {
        let began = Instant::now();
        let granted = self.exchange().await;
        let outcome = granted.as_ref().err().map_or(Outcome::Ok, TokenError::outcome);
        self.meters.ended(Operation::Token, outcome, began.elapsed());
        if let Err(error) = &granted {
            tracing::warn!(%error, "no access token");
        }
        granted
    }

    async fn exchange(&self) -> Result<Grant, TokenError> {
        let secret = self.credentials.client_secret.expose_secret();
        let request = self.http.post(self.url.clone()).json(&Request {
            client_id: &self.credentials.client_id,
            client_secret: secret,
            grant_type: "client_credentials",
            audience: self.credentials.audience.as_deref(),
        });
        let answer = Exchange::run(request).await?;
        if matches!(
            answer.status,
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        ) {
            let code = error_code(&answer.body).filter(|code| code != secret);
            return Err(TokenError::Refused { status: answer.status.as_u16(), code });
        }
        grant(&answer.success()?)
    }
}

impl Bearer {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub(super) fn header(&self) -> Result<HeaderValue, TokenError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.expose()))
            .map_err(|_| TokenError::Malformed(NOT_A_HEADER))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

const NOT_A_HEADER: &str = "its access_token has characters that no header may hold";

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer([REDACTED])")
    }
}

/// How long a token is used.
fn keep_for(lifetime: Duration) -> Duration {
    lifetime.saturating_sub((lifetime / 10).min(MAX_MARGIN))
}

/// A successful answer's token (RFC 6749, 5.1).
fn grant(body: &[u8]) -> Result<Grant, TokenError> {
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
    let lifetime = body.get("expires_in").and_then(seconds).unwrap_or(DEFAULT_LIFETIME);
    Ok(Grant { bearer, lifetime: lifetime.min(MAX_LIFETIME) })
}

/// A whole number of seconds; some servers write it as a text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok(),
        _ => value.as_u64(),
    };
    seconds.map(Duration::from_secs)
}

/// OAuth's `error` code, if it looks like one: nothing else of a refusal is
/// repeated, since servers echo requests.
fn error_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.get("error")?.as_str()?;
    let is_code = !code.is_empty()
        && code.len() <= MAX_CODE_CHARS
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code.then(|| code.to_owned())
}

#[cfg(test)]
mod tests;
