//! The client of the API: what is sent when, how often, and to which end.

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
/// It asks again once when an access token is refused, and repeats what failed
/// and may succeed. Every other failure is the caller's to answer.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// No HTTP client can be made.
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
    /// The share of the budget that the listing of the tenant may use: the
    /// polls of users and addresses must not wait for it.
    listing_budget: Budget,
    circuit: Circuit,
    rights: Rights,
    loners: Loners,
    limits: Limits,
    retries: u32,
    batch_size: usize,
}

/// How much of an answer is read.
#[derive(Debug, Clone, Copy)]
struct Limits {
    bytes: usize,
    items: usize,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up, for instance for want of root certificates.
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

    /// Users or addresses at most that one request asks about.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.shared.batch_size
    }

    /// Elements at most of any one list.
    pub(super) fn max_items(&self) -> usize {
        self.shared.limits.items
    }

    /// The rights of the API client, as far as answers show them.
    pub(super) fn rights(&self) -> &Rights {
        &self.shared.rights
    }

    /// The subjects that are asked about alone.
    pub(super) fn loners(&self) -> &Loners {
        &self.shared.loners
    }

    /// Waits until a service that is down answers a ping, or anything else;
    /// for ever while it is not down.
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

    /// Has an access token, or says why there is none.
    pub(super) async fn ensure_token(&self) -> Result<(), ApiError> {
        self.shared.tokens.bearer().await?;
        Ok(())
    }

    /// Sends a request and hands out the answer as it is, without the token:
    /// its status, and its body when that is JSON, else null.
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
