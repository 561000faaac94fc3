//! The access token: OAuth 2.0 client credentials.
//!
//! The service documents a JSON request. Some of its token endpoints accept only the form encoding
//! of OAuth, so both are tried.

mod exchange;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzz;
mod grant;

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Url;
use tokio::{sync::Mutex, time::Instant};

pub(super) use self::{exchange::Credentials, grant::Bearer};
use self::{
    exchange::{Form, may_be_form_refusal, plainer_error, request_token},
    grant::{Grant, use_time},
};
use super::{
    error::TokenError,
    meters::{Meters, Operation, Outcome},
};
use crate::{clock, config::TokenRequest};

/// Shares one access token between all requests, and renews it in time.
#[derive(Debug)]
pub(super) struct TokenSource {
    http: reqwest::Client,
    url: Url,
    credentials: Credentials,
    setting: TokenRequest,
    meters: Meters,
    /// Number of token requests that have ended, successful or not.
    ended: AtomicU64,
    /// Locked while a token is requested, so that all callers wait for the same request.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Option<Current>,
    /// The form that succeeded last, or is tried first.
    form: Form,
    /// The failure of the last request; `None` when it succeeded.
    failure: Option<TokenError>,
}

#[derive(Debug)]
struct Current {
    bearer: Bearer,
    renew_at: Instant,
}

impl TokenSource {
    pub(super) fn new(
        http: reqwest::Client,
        url: Url,
        credentials: Credentials,
        setting: TokenRequest,
        meters: Meters,
    ) -> Self {
        let state = State { current: None, form: Form::from_setting(setting), failure: None };
        let (ended, state) = (AtomicU64::new(0), Mutex::new(state));
        Self { http, url, credentials, setting, meters, ended, state }
    }

    /// Returns the current token, or a new one when it is about to expire. A caller that waits for
    /// a running token request gets its result, also a failure.
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
        let mut form = state.form;
        let granted = self.request_grant(&mut form).await;
        self.ended.fetch_add(1, Ordering::Release);
        match granted {
            Ok(Grant { bearer, lifetime }) => {
                let renew_at = Instant::now() + use_time(lifetime);
                *state = State {
                    current: Some(Current { bearer: bearer.clone(), renew_at }),
                    form,
                    failure: None,
                };
                self.meters.set_token_expiry(Some(clock::now() + lifetime));
                Ok(bearer)
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "no access token");
                state.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// Drops a token that the API refused, unless it was already replaced.
    pub(super) async fn invalidate(&self, refused: &Bearer) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| current.bearer.is_same(refused)) {
            state.current = None;
            self.meters.set_token_expiry(None);
        }
    }

    /// Requests a token, and once more in the other form when the first request may have been
    /// refused for its form.
    async fn request_grant(&self, form: &mut Form) -> Result<Grant, TokenError> {
        let first = match self.request_in_form(*form).await {
            Err(error) if self.setting == TokenRequest::Auto && may_be_form_refusal(&error) => {
                error
            }
            ended => return ended,
        };
        let second = self.request_in_form(form.other()).await;
        match second {
            Ok(grant) => {
                *form = form.other();
                Ok(grant)
            }
            Err(second) => Err(plainer_error(first, second)),
        }
    }

    async fn request_in_form(&self, form: Form) -> Result<Grant, TokenError> {
        let began = Instant::now();
        let granted = request_token(&self.http, &self.url, &self.credentials, form).await;
        let outcome = granted.as_ref().err().map_or(Outcome::Ok, TokenError::outcome);
        self.meters.count_request(Operation::Token, outcome, began.elapsed());
        granted
    }
}

#[cfg(test)]
mod tests;
