//! The job that looks at the service itself.

use tokio_util::sync::CancellationToken;

use super::job::{Job, Outcome, Pace};
use crate::{
    cii::{ApiError, Client},
    clock,
    store::{RecordService, Store, StoreError},
};

/// Asks for integrations, administrators and daily counts, and records them.
#[derive(Debug)]
pub struct ServiceJob {
    /// Whom to ask.
    pub client: Client,
    /// Where answers go.
    pub store: Store,
}

impl Job for ServiceJob {
    const NAME: &'static str = "service";

    async fn run(&self, _: Pace, _: &CancellationToken) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        let integrations = outcome.take(self.client.integrations().await).map(|list| list.items);
        let admins = outcome.take(self.client.admins().await).map(|list| list.items);
        // An experiment of the service: that it is not there is no failure.
        let daily_failures = match self.client.daily_failures().await {
            Err(ApiError::Graphql(_) | ApiError::Malformed(_)) => {
                tracing::debug!("the service has no daily counts");
                Some(None)
            }
            answer => outcome.take(answer),
        };
        let record = RecordService { integrations, admins, daily_failures, at: clock::now() };
        self.store.record_service(record).await?;
        Ok(outcome)
    }

    async fn recovered(&self) {
        self.client.recovered().await;
    }
}

impl Outcome {
    /// Counts an answer in, and takes what it says.
    fn take<T>(&mut self, answer: Result<T, ApiError>) -> Option<T> {
        match answer {
            Ok(told) => {
                self.ok += 1;
                Some(told)
            }
            Err(error) => {
                tracing::warn!(%error, "a part of the service cannot be seen");
                self.failed += 1;
                // An API client that may not ask for this is no failure of the service.
                self.service_failed |= !matches!(error, ApiError::Graphql(_));
                None
            }
        }
    }
}
