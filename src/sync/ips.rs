//! The job that asks about every watched IP address.

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

/// Asks for the users of addresses and records them.
#[derive(Debug, Clone)]
pub struct IpQuestions {
    /// Whom to ask.
    pub client: Client,
    /// Where answers go.
    pub store: Store,
    /// Requests at once.
    pub concurrency: usize,
    /// Users a page.
    pub page_size: u32,
}

/// Asks for the users of every watched address.
#[derive(Debug)]
pub struct IpsJob {
    /// How to ask.
    pub questions: IpQuestions,
}

impl Job for IpsJob {
    const NAME: &'static str = "ips";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let ips = self.questions.store.read(Reader::watched_ips).await?;
        Ok(self.questions.ask_about(&ips, pace.window, stop).await?.end())
    }

    async fn recovered(&self) {
        self.questions.client.wait_until_recovered().await;
    }
}

impl IpQuestions {
    /// Asks about these addresses, over this time.
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
        round::ask_all(ips, layout, stop, &mut tally, |batch| self.ask(batch), take).await?;
        // In a run that failed, these are the service's fault and not a subject's.
        if !tally.is_failed() {
            let ended = passing.into_iter().map(|(ip, end)| answer(ip, None, end)).collect();
            polls::record_addresses(&self.store, ended).await?;
        }
        Ok(tally)
    }

    /// Asks about a batch; what only the end of the run can judge is handed out.
    async fn ask(
        &self,
        ips: Vec<IpAddress>,
    ) -> Result<Vec<(TargetEnd, Option<(IpAddress, PollEnd)>)>, StoreError> {
        let answers = self.client.fetch_ip_users(&ips, self.page_size).await;
        let (mut ended, mut changes) = (Vec::with_capacity(ips.len()), Vec::new());
        for (ip, answered) in ips.into_iter().zip(answers) {
            let mut end = TargetEnd::of(ip.to_string(), &answered);
            end.skipped = answered.as_ref().map_or(0, |list| list.skipped);
            let mut deferred = None;
            match read(ip, answered) {
                Read::Certain(change) => changes.push(change),
                Read::Passing(poll) => deferred = Some((ip, poll)),
                Read::ServiceDown => {}
            }
            ended.push((end, deferred));
        }
        polls::record_addresses(&self.store, changes).await?;
        Ok(ended)
    }
}

/// What an answer about an address is worth.
enum Read {
    /// It can be recorded.
    Certain(RecordAddress),
    /// An error that passes: the end of the run says whose fault it is.
    Passing(PollEnd),
    /// It says nothing about the address.
    ServiceDown,
}

fn read(ip: IpAddress, answered: Result<Listed<IpUsers>, ApiError>) -> Read {
    match answered {
        Ok(list) => {
            let is_partial = list.skipped > 0;
            let reason =
                is_partial.then(|| format!("rows that could not be read: {}", list.skipped));
            let end = PollEnd { reason, ..PollEnd::answered() };
            Read::Certain(answer(ip, Some(AddressAnswer { users: list.items, is_partial }), end))
        }
        Err(error) => match reason::poll_end(&error) {
            None => Read::ServiceDown,
            Some(end) if end.outcome == PollOutcome::Refused && error.is_transient() => {
                Read::Passing(end)
            }
            Some(end) => Read::Certain(answer(ip, None, end)),
        },
    }
}

fn answer(ip: IpAddress, answer: Option<AddressAnswer>, end: PollEnd) -> RecordAddress {
    RecordAddress { ip, answer, end, at: clock::now() }
}
