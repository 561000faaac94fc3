//! The client of the API, with token, rate limit, retries and circuit breaker.

mod request;

use std::{sync::Arc, time::Duration};

use reqwest::{StatusCode, Url, redirect};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    budget::Budget,
    circuit::Circuit,
    error::ApiError,
    hide::hide_in_value,
    json,
    loners::Loners,
    meters::{Meters, Operation, Outcome},
    rights::Rights,
    token::{Credentials, TokenSource},
};
use crate::config::ApiConfig;

const USER_AGENT: &str = concat!("cii-exporter/", env!("CARGO_PKG_VERSION"));
const MAX_CONNECT_TIME: Duration = Duration::from_secs(10);

/// A client of the API; clones share the access token, the connections, the
/// request budget and the circuit.
///
/// It repeats a request once when the access token is refused, and retries temporary failures. All
/// other failures are returned to the caller.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// The HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct HttpSetupError(#[source] reqwest::Error);

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    tokens: TokenSource,
    meters: Meters,
    budget: Budget,
    /// The share of the budget for the tenant listing, so that polls of users and addresses do not
    /// wait for it.
    listing_budget: Budget,
    circuit: Circuit,
    rights: Rights,
    loners: Loners,
    limits: Limits,
    retries: u32,
    batch_size: usize,
}

/// The limits of an answer.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: usize,
    items: usize,
}

impl Client {
    /// Creates a client; sends nothing yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be created, for instance without root certificates.
    pub fn new(config: &ApiConfig, meters: Meters) -> Result<Self, HttpSetupError> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .timeout(config.timeout)
            .connect_timeout(config.timeout.min(MAX_CONNECT_TIME))
            .build()
            .map_err(|error| HttpSetupError(error.without_url()))?;
        let credentials = Credentials {
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            audience: config.audience.clone(),
        };
        let limits = Limits { bytes: config.max_answer_bytes, items: config.max_answer_items };
        let (token_url, form) = (config.token_url.clone(), config.token_request);
        let tokens = TokenSource::new(http.clone(), token_url, credentials, form, meters.clone());
        let shared = Shared {
            http,
            url: config.url.clone(),
            tokens,
            budget: Budget::new(config.requests_per_minute),
            listing_budget: Budget::with_half(config.requests_per_minute),
            circuit: Circuit::new(meters.clone()),
            rights: Rights::new(meters.clone()),
            loners: Loners::default(),
            meters,
            limits,
            retries: config.retries,
            batch_size: config.batch_size,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Most users or addresses in one request.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.shared.batch_size
    }

    /// Most elements of any list.
    pub(super) fn max_items(&self) -> usize {
        self.shared.limits.items
    }

    /// The known rights of the API client.
    pub(super) fn rights(&self) -> &Rights {
        &self.shared.rights
    }

    /// The subjects that are requested alone.
    pub(super) fn loners(&self) -> &Loners {
        &self.shared.loners
    }

    /// Waits until a service that is down answers a ping or another request; forever while it is
    /// not down.
    pub async fn wait_until_recovered(&self) {
        let probe = async {
            loop {
                self.shared.circuit.wait_for_probe().await;
                let ended = self.ping().await;
                self.shared.circuit.record_result(ended.as_ref().err());
            }
        };
        tokio::select! {
            () = self.shared.circuit.wait_until_closed() => {}
            () = probe, if self.shared.circuit.admit().is_err() => {}
        }
    }

    /// Ensures that there is an access token.
    pub(super) async fn ensure_token(&self) -> Result<(), ApiError> {
        self.shared.tokens.bearer().await?;
        Ok(())
    }

    /// Sends a request and returns the raw answer: status, and body if it is JSON, else null. The
    /// token is removed from it.
    pub(super) async fn send_raw(
        &self,
        operation: Operation,
        body: &Value,
    ) -> Result<(u16, Value), ApiError> {
        let turn = self.shared.budget.acquire().await?;
        let mut bearer = self.shared.tokens.bearer().await?;
        let mut is_first = true;
        loop {
            let began = Instant::now();
            let exchanged = self.post(body, &bearer).await;
            let outcome = exchanged.as_ref().map_or_else(ApiError::outcome, |exchange| {
                if exchange.status.is_success() { Outcome::Ok } else { Outcome::ClientError }
            });
            self.shared.meters.count_request(operation, outcome, began.elapsed());
            let exchange = exchanged?;
            if exchange.status == StatusCode::UNAUTHORIZED && is_first {
                self.shared.tokens.invalidate(&bearer).await;
                bearer = self.shared.tokens.bearer().await?;
                is_first = false;
                continue;
            }
            let status = exchange.status;
            turn.end(status != StatusCode::TOO_MANY_REQUESTS && !status.is_server_error());
            let answer = json::parse(&exchange.body).unwrap_or_default();
            let answer = hide_in_value(answer, bearer.expose(), "[token]");
            return Ok((exchange.status.as_u16(), answer));
        }
    }
}

#[cfg(test)]
mod tests;
