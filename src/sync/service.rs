//! The job that looks at the service itself.

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

    async fn run(&self, _: Pace, _: &CancellationToken) -> Result<RunEnd, StoreError> {
        let mut part = Parts::new();
        let integrations =
            part.count_answer("getIntegrationsStatus", self.client.fetch_integrations().await);
        let admins = part.count_answer("listAdminLogins", self.client.fetch_admins().await);
        for skipped in [
            integrations.as_ref().map(|list| list.skipped),
            admins.as_ref().map(|list| list.skipped),
        ] {
            part.tally.count_skipped(skipped.unwrap_or(0));
        }
        let daily_failures = match self.client.fetch_daily_failures().await {
            // An experiment of the service: that it is not there is no failure.
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

/// What becomes of the parts that are asked for. One without an answer, and not
/// for want of a right, is a failure of the run: nothing else tells of it.
struct Parts {
    tally: RunTally,
    /// Root fields that the API client has no right to.
    no_right: Vec<&'static str>,
    asked: usize,
}

impl Parts {
    fn new() -> Self {
        Self { tally: RunTally::new("parts", RunRule::Each), no_right: Vec::new(), asked: 0 }
    }

    /// Counts an answer in, and takes what it says.
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

    /// Off when there is a right to no part, else as the other parts decide.
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
