//! Questions to the API: what is sent when, how often, and to which end.

use std::{sync::Arc, time::Duration};

use reqwest::{StatusCode, Url, header::AUTHORIZATION, redirect};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    budget::Budget,
    circuit::Circuit,
    error::ApiError,
    exchange::Exchange,
    graphql::Answer,
    graphql_error::GraphqlError,
    meters::{Meters, Operation, Outcome},
    retry,
    token::{Bearer, Credentials, TokenSource},
};

const USER_AGENT: &str = concat!("cii-exporter/", env!("CARGO_PKG_VERSION"));
const MAX_CONNECT_TIME: Duration = Duration::from_secs(10);

/// Where the API is and who asks. The console shows each API client its own
/// URLs.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The GraphQL endpoint.
    pub url: String,
    /// The OAuth token endpoint.
    pub token_url: String,
    /// The API client's id.
    pub client_id: String,
    /// The API client's secret.
    pub client_secret: SecretString,
    /// Asked for by API clients made before September 2025.
    pub audience: Option<String>,
    /// How long one request may take, to the end of its answer.
    pub timeout: Duration,
    /// Requests at most in any minute.
    pub requests_per_minute: u32,
    /// How often a request that failed and may succeed is sent again.
    pub retries: u32,
    /// Users or addresses at most that one request asks about.
    pub batch_size: usize,
}

/// Why no client can be made of its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A URL is none, or is not one of HTTP.
    #[error("{setting} is not usable: {reason}")]
    Url {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client cannot be set up, for instance for want of root
    /// certificates.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[source] reqwest::Error),
}

/// A client of the API; clones share the access token, the connections, the
/// request budget and the circuit.
///
/// It asks again once when an access token is refused, and repeats what failed
/// and may succeed. Every other failure is the caller's to answer.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    url: Url,
    tokens: TokenSource,
    meters: Meters,
    budget: Budget,
    circuit: Circuit,
    retries: u32,
    batch_size: usize,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When a URL is not one of HTTP, or the HTTP client cannot be set up.
    pub fn new(settings: ClientSettings, meters: Meters) -> Result<Self, SettingsError> {
        let url = http_url("api.url", &settings.url)?;
        let token_url = http_url("api.token_url", &settings.token_url)?;
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(MAX_CONNECT_TIME))
            .build()
            .map_err(|error| SettingsError::Http(error.without_url()))?;
        let credentials = Credentials {
            client_id: settings.client_id,
            client_secret: settings.client_secret,
            audience: settings.audience,
        };
        let tokens = TokenSource::new(http.clone(), token_url, credentials, meters.clone());
        let budget = Budget::new(settings.requests_per_minute);
        let circuit = Circuit::new(meters.clone());
        let (retries, batch_size) = (settings.retries, settings.batch_size);
        let shared = Shared { http, url, tokens, meters, budget, circuit, retries, batch_size };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Users or addresses at most that one request asks about.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.shared.batch_size
    }

    /// Waits until a service that is down answers a ping, or anything else;
    /// for ever while it is not down.
    pub async fn recovered(&self) {
        let probe = async {
            loop {
                self.shared.circuit.probe_due().await;
                let ended = self.ping().await;
                self.shared.circuit.learn(ended.as_ref().err());
            }
        };
        tokio::select! {
            () = self.shared.circuit.closed() => {}
            () = probe, if self.shared.circuit.admit().is_err() => {}
        }
    }

    /// Sends a query with its variables and has the answer understood. It may
    /// be partial: its errors say what is missing.
    pub(super) async fn execute<T>(
        &self,
        operation: Operation,
        query: &str,
        variables: Value,
        understand: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let body = json!({ "query": query, "variables": variables });
        let mut attempt = 0;
        loop {
            self.shared.circuit.admit()?;
            self.shared.budget.acquire().await?;
            let ended = self.send(operation, &body, &understand).await;
            self.shared.circuit.learn(ended.as_ref().err());
            let Err(error) = ended else { return ended };
            if let Some(rest) = error.retry_after() {
                self.shared.budget.rest(rest);
            }
            let retries = if operation.may_repeat() { self.shared.retries } else { 0 };
            let Some(wait) = retry::wait(&error, attempt).filter(|_| attempt < retries) else {
                return Err(error);
            };
            tracing::debug!(operation = operation.as_str(), %error, ?wait, "asking again");
            self.shared.meters.retried(operation);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends a request that leaves circuit and repeats alone.
    pub(super) async fn send<T>(
        &self,
        operation: Operation,
        body: &Value,
        understand: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let bearer = self.shared.tokens.bearer().await?;
        match self.attempt(operation, body, &bearer, understand).await {
            Err(ApiError::Unauthorized) => {
                tracing::info!("the access token was refused; asking for another");
                self.shared.tokens.invalidate(&bearer).await;
                let bearer = self.shared.tokens.bearer().await?;
                self.attempt(operation, body, &bearer, understand).await
            }
            ended => ended,
        }
    }

    /// Sends a request and hands out the answer as it is, without the token:
    /// its status, and its body when that is JSON, else null.
    pub(super) async fn raw(
        &self,
        operation: Operation,
        body: &Value,
    ) -> Result<(u16, Value), ApiError> {
        self.shared.budget.acquire().await?;
        let mut bearer = self.shared.tokens.bearer().await?;
        let mut is_first = true;
        loop {
            let began = Instant::now();
            let exchanged = self.post(body, &bearer).await;
            let outcome = exchanged.as_ref().map_or_else(ApiError::outcome, |exchange| {
                if exchange.status.is_success() { Outcome::Ok } else { Outcome::ClientError }
            });
            self.shared.meters.ended(operation, outcome, began.elapsed());
            let exchange = exchanged?;
            if exchange.status == StatusCode::UNAUTHORIZED && is_first {
                self.shared.tokens.invalidate(&bearer).await;
                bearer = self.shared.tokens.bearer().await?;
                is_first = false;
                continue;
            }
            let text = String::from_utf8_lossy(&exchange.body).replace(bearer.expose(), "[token]");
            let answer = serde_json::from_str(&text).unwrap_or_default();
            return Ok((exchange.status.as_u16(), answer));
        }
    }

    async fn attempt<T>(
        &self,
        operation: Operation,
        body: &Value,
        bearer: &Bearer,
        understand: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let began = Instant::now();
        let answered = self.exchange(body, bearer).await;
        let partial = answered.as_ref().is_ok_and(|answer| !answer.errors.is_empty());
        let ended = answered.and_then(understand);
        let outcome = match &ended {
            Ok(_) if partial => Outcome::Partial,
            Ok(_) => Outcome::Ok,
            Err(error) => error.outcome(),
        };
        self.shared.meters.ended(operation, outcome, began.elapsed());
        ended
    }

    async fn post(&self, body: &Value, bearer: &Bearer) -> Result<Exchange, ApiError> {
        let request = self.shared.http.post(self.shared.url.clone()).json(body);
        Ok(Exchange::run(request.header(AUTHORIZATION, bearer.header()?)).await?)
    }

    async fn exchange(&self, body: &Value, bearer: &Bearer) -> Result<Answer, ApiError> {
        let exchange = self.post(body, bearer).await?;
        if exchange.status == StatusCode::UNAUTHORIZED {
            return Err(ApiError::Unauthorized);
        }
        let answer = Answer::parse(&exchange.success()?, bearer.expose())?;
        if answer.errors.is_empty() || !answer.is_empty() {
            Ok(answer)
        } else if answer.errors.iter().any(GraphqlError::is_unauthorized) {
            Err(ApiError::Unauthorized)
        } else {
            Err(ApiError::Graphql(answer.errors.into()))
        }
    }
}

fn http_url(setting: &'static str, text: &str) -> Result<Url, SettingsError> {
    let refuse = |reason: String| Err(SettingsError::Url { setting, reason });
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => refuse("expected a URL that begins with https:// or http://".to_owned()),
        Err(error) => refuse(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
