//! Sends a request when circuit and budget allow it, and retries it.

use std::time::Duration;

use reqwest::{StatusCode, header::AUTHORIZATION};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Client;
use crate::cii::{
    ErrorKind, GraphqlError,
    error::ApiError,
    exchange::Exchange,
    graphql::Answer,
    graphql_error::Subject,
    meters::{Operation, Outcome},
    retry,
    token::Bearer,
};

/// Pause of all requests after an answer of which a part was throttled.
const THROTTLED_IN_PART: Duration = Duration::from_secs(1);

impl Client {
    /// Sends a query with its variables and parses the answer. It may be partial: its errors say
    /// what is missing.
    ///
    /// An operation for which the API client lacks the right is not sent.
    pub(in crate::cii) async fn execute<T>(
        &self,
        operation: Operation,
        query: &str,
        variables: Value,
        understand: impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let body = json!({ "query": query, "variables": variables });
        let mut attempt = 0;
        loop {
            self.shared.rights.check_right(operation)?;
            let error = match self.send_when_allowed(operation, &body, &understand).await {
                Ok(understood) => {
                    self.shared.rights.record_grant(operation);
                    return Ok(understood);
                }
                Err(error) => error,
            };
            if self.is_right_refusal(operation, &error) {
                return Err(ApiError::NoRight { field: operation.into_str() });
            }
            if !self.pause_before_retry(operation, &error, attempt).await {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// Sends a request when circuit and budget allow it.
    pub(in crate::cii) async fn send_when_allowed<T>(
        &self,
        operation: Operation,
        body: &Value,
        understand: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.shared.circuit.admit()?;
        if operation == Operation::ListEndUsers {
            self.shared.listing_budget.acquire().await?;
        }
        let turn = self.shared.budget.acquire().await?;
        // The circuit may have opened while this request waited for the budget.
        self.shared.circuit.admit()?;
        let ended = self.send(operation, body, understand).await;
        let error = ended.as_ref().err();
        // The pause is set before the turn ends, so that no other request is sent in between.
        if let Some(rest) = error.and_then(ApiError::retry_after) {
            self.shared.budget.rest(rest);
        }
        turn.end(error.is_none_or(|error| !error.is_transient()));
        self.shared.circuit.record_result(error);
        ended
    }

    /// Waits before the next attempt, and returns whether there is one. When the service asks for
    /// fewer requests, all requests pause.
    pub(in crate::cii) async fn pause_before_retry(
        &self,
        operation: Operation,
        error: &ApiError,
        attempt: u32,
    ) -> bool {
        // The circuit is open: nothing was sent, and only a ping can close it.
        if matches!(error, ApiError::Resting { .. }) {
            return false;
        }
        let wait = retry::retry_delay(error, attempt);
        let rest =
            if error.is_throttled() { wait.or(error.retry_after()) } else { error.retry_after() };
        if let Some(rest) = rest {
            self.shared.budget.rest(rest);
        }
        let retries = if operation.may_repeat() { self.shared.retries } else { 0 };
        let Some(wait) = wait.filter(|_| attempt < retries) else { return false };
        tracing::debug!(
            operation = operation.into_str(),
            error = error.redacted_text(),
            ?wait,
            "sending again"
        );
        self.shared.meters.count_retry(operation);
        tokio::time::sleep(wait).await;
        true
    }

    /// Whether a refusal of the root field shows that the API client lacks the right to it. A
    /// single address can be refused for other reasons.
    fn is_right_refusal(&self, operation: Operation, error: &ApiError) -> bool {
        let ApiError::Graphql(errors) = error else { return false };
        errors.kind() == ErrorKind::NoRight
            && operation.may_repeat()
            && errors.iter().all(|error| error.path.len() <= 1)
            && self.shared.rights.record_refusal(operation, operation == Operation::GetEndUsersByIp)
    }

    /// Sends a request without circuit, budget and retries. A refused access token is replaced
    /// once.
    pub(in crate::cii) async fn send<T>(
        &self,
        operation: Operation,
        body: &Value,
        understand: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let bearer = self.shared.tokens.bearer().await?;
        match self.attempt_send(operation, body, &bearer, understand).await {
            Err(ApiError::Unauthorized) => {
                tracing::info!("the access token was refused; asking for another");
                self.shared.tokens.invalidate(&bearer).await;
                let bearer = self.shared.tokens.bearer().await?;
                self.attempt_send(operation, body, &bearer, understand).await
            }
            ended => ended,
        }
    }

    async fn attempt_send<T>(
        &self,
        operation: Operation,
        body: &Value,
        bearer: &Bearer,
        understand: &impl Fn(Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let began = Instant::now();
        let answered = self.exchange_query(body, bearer).await;
        let told = answered.as_ref().ok().and_then(outcome);
        let ended = answered.and_then(understand);
        if ended.is_ok() && told == Some(Outcome::Throttled) {
            self.shared.budget.rest(THROTTLED_IN_PART);
        }
        let outcome = match &ended {
            Ok(_) => told.unwrap_or(Outcome::Ok),
            Err(error) => error.outcome(),
        };
        self.shared.meters.count_request(operation, outcome, began.elapsed());
        ended
    }

    pub(super) async fn post(&self, body: &Value, bearer: &Bearer) -> Result<Exchange, ApiError> {
        let request = self.shared.http.post(self.shared.url.clone()).json(body);
        let request = request.header(AUTHORIZATION, bearer.header()?);
        Ok(Exchange::send(request, self.shared.limits.bytes).await?)
    }

    async fn exchange_query(&self, body: &Value, bearer: &Bearer) -> Result<Answer, ApiError> {
        let exchange = self.post(body, bearer).await?;
        if exchange.status == StatusCode::UNAUTHORIZED {
            return Err(ApiError::Unauthorized);
        }
        let is_html = exchange.is_html;
        let body = exchange.into_success_body()?;
        let answer = Answer::parse(&body, is_html, bearer.expose(), self.shared.limits.items)?;
        if answer.is_empty() && answer.errors.iter().any(GraphqlError::is_refused_token) {
            return Err(ApiError::Unauthorized);
        }
        Ok(answer)
    }
}

/// The outcome of a parsed answer; `None` when it is complete.
fn outcome(answer: &Answer) -> Option<Outcome> {
    let is_throttled = |error: &GraphqlError| error.kind("", Subject::List) == ErrorKind::Throttled;
    if answer.errors.is_empty() {
        None
    } else if answer.errors.iter().any(is_throttled) {
        Some(Outcome::Throttled)
    } else if answer.is_empty() {
        Some(Outcome::GraphqlError)
    } else {
        Some(Outcome::Partial)
    }
}
