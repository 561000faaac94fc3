//! Whether the service answers: `ping`.

use serde_json::json;

use crate::cii::{ApiError, Client, meters::Operation};

pub(super) const QUERY: &str = "query { ping }";

impl Client {
    /// Asks whether the service answers, once, whether it counts as down or not.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), ApiError> {
        let body = json!({ "query": QUERY });
        self.send(Operation::Ping, &body, &|mut answer| answer.take_root("ping").map(drop)).await
    }
}
