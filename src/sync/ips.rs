//! The job that polls every watched IP address.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    polls, reason,
    round::{self, Layout, TargetEnd},
};
use crate::{
    cii::{ApiError, Client, Listed},
    clock,
    domain::{IpAddress, IpUsers, PollEnd, PollOutcome, RunEnd, RunRule, RunTally},
    ledger::change::{AddressAnswer, RecordAddress},
    store::{Reader, Store, StoreError},
};

/// Requests the users of addresses and records the answers.
#[derive(Debug, Clone)]
pub struct IpQuestions {
    /// The client for the API.
    pub client: Client,
    /// The store for the answers.
    pub store: Store,
    /// Maximum number of parallel requests.
    pub concurrency: usize,
    /// Users a page.
    pub page_size: u32,
}

/// Requests the users of every watched address.
#[derive(Debug)]
pub struct IpsJob {
    /// How addresses are polled.
    pub questions: IpQuestions,
}

impl Job for IpsJob {
    const NAME: &'static str = "ips";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let ips = self.questions.store.read(Reader::watched_ips).await?;
        Ok(self.questions.ask_about(&ips, pace.window, stop).await?.end())
    }

    async fn wait_until_recovered(&self) {
        self.questions.client.wait_until_recovered().await;
    }
}

impl IpQuestions {
    /// Polls these addresses, spread over `window`.
    pub(super) async fn ask_about(
        &self,
        ips: &[IpAddress],
        window: Duration,
        stop: &CancellationToken,
    ) -> Result<RunTally, StoreError> {
        let mut tally = RunTally::new("addresses", RunRule::Majority);
        let layout =
            Layout { batch_size: self.client.batch_size(), concurrency: self.concurrency, window };
        let mut passing = Vec::new();
        let take = |(end, deferred): (TargetEnd, Option<_>)| {
            passing.extend(deferred);
            end
        };
        round::ask_all(ips, layout, stop, &mut tally, |batch| self.ask_batch(batch), take).await?;
        // In a run that failed, these errors are the service's fault and not the subject's.
        if !tally.is_failed() {
            let ended =
                passing.into_iter().map(|(ip, end)| address_record(ip, None, end)).collect();
            polls::record_addresses(&self.store, ended).await?;
        }
        Ok(tally)
    }

    /// Polls a batch. Returns answers that only the end of the run can judge.
    async fn ask_batch(
        &self,
        ips: Vec<IpAddress>,
    ) -> Result<Vec<(TargetEnd, Option<(IpAddress, PollEnd)>)>, StoreError> {
        let answers = self.client.fetch_ip_users(&ips, self.page_size).await;
        let (mut ended, mut changes) = (Vec::with_capacity(ips.len()), Vec::new());
        for (ip, answered) in ips.into_iter().zip(answers) {
            let mut end = TargetEnd::from_answer(ip.to_string(), &answered);
            if let Ok(list) = &answered {
                (end.rows, end.skipped) = (list.items.len(), list.skipped);
            }
            let mut deferred = None;
            match classify_answer(ip, answered) {
                AnswerClass::Certain(change) => changes.push(change),
                AnswerClass::Passing(poll) => deferred = Some((ip, poll)),
                AnswerClass::ServiceDown => {}
            }
            ended.push((end, deferred));
        }
        polls::record_addresses(&self.store, changes).await?;
        Ok(ended)
    }
}

/// How an answer about an address is used.
enum AnswerClass {
    /// It is recorded at once.
    Certain(RecordAddress),
    /// A transient error: the end of the run decides whose fault it is.
    Passing(PollEnd),
    /// It says nothing about the address.
    ServiceDown,
}

fn classify_answer(ip: IpAddress, answered: Result<Listed<IpUsers>, ApiError>) -> AnswerClass {
    match answered {
        Ok(list) => {
            let is_partial = list.skipped > 0;
            let reason =
                is_partial.then(|| format!("rows that could not be read: {}", list.skipped));
            let end = PollEnd { reason, ..PollEnd::answered() };
            AnswerClass::Certain(address_record(
                ip,
                Some(AddressAnswer { users: list.items, is_partial }),
                end,
            ))
        }
        Err(error) => match reason::poll_end(&error) {
            None => AnswerClass::ServiceDown,
            Some(end) if end.outcome == PollOutcome::Refused && error.is_transient() => {
                AnswerClass::Passing(end)
            }
            Some(end) => AnswerClass::Certain(address_record(ip, None, end)),
        },
    }
}

fn address_record(ip: IpAddress, answer: Option<AddressAnswer>, end: PollEnd) -> RecordAddress {
    RecordAddress { ip, answer, end, at: clock::now() }
}
