//! The job that requests the state of the service itself.

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    reason,
};
use crate::{
    cii::{ApiError, Client},
    clock,
    domain::{RunEnd, RunRule, RunTally},
    ledger::change::RecordService,
    store::{Store, StoreError},
};

/// Requests integrations, administrators and daily counts, and records them.
#[derive(Debug)]
pub struct ServiceJob {
    /// The client for the API.
    pub client: Client,
    /// The store for the answers.
    pub store: Store,
}

impl Job for ServiceJob {
    const NAME: &'static str = "service";

    async fn run(&self, _: Pace, _: &CancellationToken) -> Result<RunEnd, StoreError> {
        let mut part = Parts::new();
        let integrations =
            part.count_answer("getIntegrationsStatus", self.client.fetch_integrations().await);
        let admins = part.count_answer("listAdminLogins", self.client.fetch_admins().await);
        for (rows, skipped) in [
            integrations.as_ref().map(|list| (list.items.len(), list.skipped)),
            admins.as_ref().map(|list| (list.items.len(), list.skipped)),
        ]
        .into_iter()
        .flatten()
        {
            part.tally.count_rows(rows, skipped);
        }
        let daily_failures = match self.client.fetch_daily_failures().await {
            // The field is an experiment of the service: its absence is no failure.
            Err(ApiError::Graphql(_) | ApiError::Malformed(_) | ApiError::NoRight { .. }) => {
                tracing::debug!("the service has no daily counts");
                Some(None)
            }
            Ok(counts) => Some(counts),
            Err(error) => {
                part.tally
                    .record_failed("getTotalCheckFailingCounts", &reason::describe_error(&error));
                None
            }
        };
        let is_partial = |skipped: Option<usize>| skipped.is_some_and(|skipped| skipped > 0);
        let record = RecordService {
            integrations_are_partial: is_partial(integrations.as_ref().map(|list| list.skipped)),
            admins_are_partial: is_partial(admins.as_ref().map(|list| list.skipped)),
            integrations: integrations.map(|list| list.items),
            admins: admins.map(|list| list.items),
            daily_failures,
            at: clock::now(),
        };
        self.store.commit(record).await?;
        Ok(part.into_run_end())
    }

    async fn wait_until_recovered(&self) {
        self.client.wait_until_recovered().await;
    }
}

/// The results of the requested parts. A part without an answer is a failure of the run, unless a
/// right is missing: there is no subject whose poll could report it.
struct Parts {
    tally: RunTally,
    /// Root fields to which the API client has no right.
    no_right: Vec<&'static str>,
    asked: usize,
}

impl Parts {
    fn new() -> Self {
        Self { tally: RunTally::new("parts", RunRule::Each), no_right: Vec::new(), asked: 0 }
    }

    /// Counts an answer, and returns its value.
    fn count_answer<T>(&mut self, field: &'static str, answer: Result<T, ApiError>) -> Option<T> {
        self.asked += 1;
        match answer {
            Ok(told) => {
                self.tally.count_answered(1);
                return Some(told);
            }
            Err(ApiError::NoRight { field }) => {
                self.no_right.push(field);
                self.tally.count_refused();
            }
            Err(error) => self.tally.record_failed(field, &reason::describe_error(&error)),
        }
        None
    }

    /// The end of the run: off when there is a right to no part, else as the other parts decide.
    fn into_run_end(mut self) -> RunEnd {
        let is_off = self.no_right.len() == self.asked;
        for field in self.no_right {
            if is_off {
                self.tally.record_off(field);
            } else {
                self.tally.record_missing_right(field);
            }
        }
        self.tally.end()
    }
}
