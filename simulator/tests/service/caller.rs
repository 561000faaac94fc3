//! Somebody who asks the simulated service.

use cii_simulator::{Fault, Options, Simulator};
use serde_json::{Value, json};

/// A client with a token.
pub(crate) struct Caller {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl Caller {
    pub(crate) async fn new(options: Options) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let http = reqwest::Client::new();
        let (status, granted) = grant(&http, &simulator, simulator.client_secret()).await;
        assert_eq!(status, 200);
        let token = granted["access_token"].as_str().unwrap().to_owned();
        Self { simulator, http, token }
    }

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> (u16, Value) {
        let (status, text) = self.text(query, variables).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    /// The answer as it came.
    pub(crate) async fn text(&self, query: &str, variables: Value) -> (u16, String) {
        let request = self
            .http
            .post(self.simulator.graphql_url())
            .bearer_auth(&self.token)
            .json(&json!({ "query": query, "variables": variables }));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), String::from_utf8(answer.bytes().await.unwrap().into()).unwrap())
    }

    /// The answer to a query without variables, under one fault.
    pub(crate) async fn under(&self, fault: Fault, query: &str) -> Value {
        self.simulator.faults().clear();
        self.simulator.faults().add(fault);
        self.ask(query, json!({})).await.1
    }
}

pub(crate) async fn grant(
    http: &reqwest::Client,
    simulator: &Simulator,
    secret: &str,
) -> (u16, Value) {
    let credentials = json!({
        "client_id": simulator.client_id(),
        "client_secret": secret,
        "grant_type": "client_credentials",
    });
    let answer = http.post(simulator.token_url()).json(&credentials).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
