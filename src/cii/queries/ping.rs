//! `ping`: whether the service answers.

use serde_json::json;

use crate::cii::{ApiError, Client, meters::Operation};

pub(super) const QUERY: &str = "query { ping }";

impl Client {
    /// Sends one ping, also while the circuit is open.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), ApiError> {
        let body = json!({ "query": QUERY });
        self.send(Operation::Ping, &body, &|mut answer| answer.take_root("ping").map(drop)).await
    }
}
