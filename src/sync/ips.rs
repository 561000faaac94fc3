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
    domain::{
        IpAddress, IpUsers, PollEnd, PollOutcome, RunEnd, RunRule, RunTally, WatchSubject, poll,
    },
    store::{Reader, RecordIp, Store, StoreError},
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
        self.questions.client.recovered().await;
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
            for (ip, end) in passing {
                polls::record(&self.store, WatchSubject::Ip(ip), end, clock::now()).await?;
            }
        }
        Ok(tally)
    }

    /// Asks about a batch; what only the end of the run can judge is handed out.
    async fn ask(
        &self,
        ips: Vec<IpAddress>,
    ) -> Result<Vec<(TargetEnd, Option<(IpAddress, PollEnd)>)>, StoreError> {
        let answers = self.client.ip_users(&ips, self.page_size).await;
        let mut ended = Vec::with_capacity(ips.len());
        for (ip, answer) in ips.into_iter().zip(answers) {
            let mut end = TargetEnd::of(ip.to_string(), &answer);
            end.skipped = answer.as_ref().map_or(0, |list| list.skipped);
            let deferred = self.record(ip, answer).await?;
            ended.push((end, deferred.map(|poll| (ip, poll))));
        }
        Ok(ended)
    }

    async fn record(
        &self,
        ip: IpAddress,
        answer: Result<Listed<IpUsers>, ApiError>,
    ) -> Result<Option<PollEnd>, StoreError> {
        let observed_at = clock::now();
        let subject = WatchSubject::Ip(ip);
        let end = match answer {
            Ok(list) => {
                let is_partial = list.skipped > 0;
                let record = RecordIp { ip, users: list.items, is_partial, observed_at };
                self.store.record_ip(record).await?;
                PollEnd {
                    reason: is_partial
                        .then(|| format!("rows that could not be read: {}", list.skipped)),
                    ..PollEnd::answered()
                }
            }
            Err(error) => {
                let Some(end) = reason::poll_end(&error) else { return Ok(None) };
                if end.outcome == PollOutcome::Refused && error.is_transient() {
                    return Ok(Some(end));
                }
                if end.outcome == PollOutcome::NotFound {
                    let key = subject.clone();
                    let before = self.store.read(move |reader| reader.poll_state(&key)).await?;
                    let before = before.map(|poll| (poll.outcome, poll.since));
                    if poll::is_confirmed_absent(before, observed_at) {
                        let users = IpUsers::new();
                        let record = RecordIp { ip, users, is_partial: false, observed_at };
                        self.store.record_ip(record).await?;
                    }
                }
                end
            }
        };
        polls::record(&self.store, subject, end, observed_at).await?;
        Ok(None)
    }
}
