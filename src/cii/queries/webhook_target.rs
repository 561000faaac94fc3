//! `registerWebhookWithApiKey`, `unregisterWebhook`: webhook targets.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{
    cii::{ApiError, Client, graphql::Answer, meters::Operation},
    domain::CheckId,
};

pub(super) const REGISTER: &str = "\
mutation ($input: RegisterWebhookWithApiKey!) {
  registerWebhookWithApiKey(input: $input)
}";

pub(super) const UNREGISTER: &str = "\
mutation ($id: ID!) {
  unregisterWebhook(id: $id)
}";

/// A webhook target to register.
#[derive(Debug, Clone)]
pub struct NewTarget {
    /// Its name; the service adds a suffix.
    pub name: String,
    /// The URL for deliveries.
    pub url: String,
    /// The header of the secret.
    pub header: String,
    /// The secret of each delivery.
    pub secret: SecretString,
    /// The checks to subscribe to.
    pub check_ids: Vec<CheckId>,
}

impl Client {
    /// Registers a webhook target; returns its id. The request is never repeated, because that
    /// could create two targets.
    ///
    /// # Errors
    /// When the service refuses, or its answer is lost; then a target may have been created.
    pub async fn register_webhook(&self, target: &NewTarget) -> Result<String, ApiError> {
        let secret = target.secret.expose_secret().to_owned();
        let input = json!({
            "name": target.name,
            "endpoint": target.url,
            "apiKeyName": target.header,
            "apiKey": secret,
            "checkIds": target.check_ids.iter().map(CheckId::as_str).collect::<Vec<_>>(),
        });
        let operation = Operation::RegisterWebhook;
        self.execute(operation, REGISTER, json!({ "input": input }), |answer| {
            match take_root(answer, operation)? {
                Value::String(id) if !id.is_empty() => Ok(id),
                _ => Err(malformed(operation)),
            }
        })
        .await
        .map_err(|error| error.without_secret(&secret))
    }

    /// Unregisters a webhook target; returns whether one had this id.
    ///
    /// # Errors
    /// When the service refuses, or does not answer.
    pub async fn unregister_webhook(&self, id: &str) -> Result<bool, ApiError> {
        let operation = Operation::UnregisterWebhook;
        self.execute(operation, UNREGISTER, json!({ "id": id }), |answer| {
            take_root(answer, operation)?.as_bool().ok_or_else(|| malformed(operation))
        })
        .await
    }
}

fn take_root(mut answer: Answer, operation: Operation) -> Result<Value, ApiError> {
    answer.take_root(operation.into_str())
}

fn malformed(operation: Operation) -> ApiError {
    ApiError::Malformed(format!("{} is not as the schema says", operation.into_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cii::fake::{Fake, Reply};

    #[tokio::test]
    async fn a_refusal_never_repeats_the_secret_and_is_not_sent_again() {
        let message = "apiKey theverysecretkey is too short";
        let error = json!({ "errorType": "ThrottlingException", "message": message });
        let reply = Reply::json(200, &json!({ "data": null, "errors": [error] }));
        let fake = Fake::api(vec![reply]).await;
        let config = crate::config::ApiConfig { retries: 3, ..fake.config() };
        let client = Client::new(&config, fake.meters.clone()).unwrap();
        let target = NewTarget {
            name: "exporter".into(),
            url: "https://example.com/hook".into(),
            header: "x-api-client-token".into(),
            secret: "theverysecretkey".into(),
            check_ids: Vec::new(),
        };
        let error = client.register_webhook(&target).await.unwrap_err();
        assert!(!error.to_string().contains("theverysecretkey"), "{error}");
        assert_eq!(fake.queries_asked().len(), 1);
    }
}
