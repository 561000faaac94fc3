//! The job that asks about every watched IP address.

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Outcome, Pace},
    round::{self, Answered, Layout},
};
use crate::{
    cii::Client,
    clock,
    domain::{IpAddress, PollOutcome, WatchSubject},
    store::{Reader, RecordIp, RecordPoll, Store, StoreError},
};

/// Asks for the users of every watched address and records them.
#[derive(Debug)]
pub struct IpsJob {
    /// Whom to ask.
    pub client: Client,
    /// What is watched, and where answers go.
    pub store: Store,
    /// Requests at once.
    pub concurrency: usize,
    /// Users a page.
    pub page_size: u32,
}

impl Job for IpsJob {
    const NAME: &'static str = "ips";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let ips = self.store.read(Reader::watched_ips).await?;
        let layout = Layout {
            batch_size: self.client.batch_size(),
            concurrency: self.concurrency,
            window: pace.window,
        };
        round::ask_all(&ips, layout, stop, |batch| self.ask(batch)).await
    }

    async fn recovered(&self) {
        self.client.recovered().await;
    }
}

impl IpsJob {
    async fn ask(&self, ips: Vec<IpAddress>) -> Result<Vec<Answered>, StoreError> {
        let answers = self.client.ip_users(&ips, self.page_size).await;
        let mut ended = Vec::with_capacity(ips.len());
        for (ip, answer) in ips.into_iter().zip(answers) {
            let observed_at = clock::now();
            let outcome = match &answer {
                Ok(_) => Some(PollOutcome::Answered),
                Err(error) => round::poll_outcome(error),
            };
            ended.push(match answer {
                Ok(list) => {
                    let users = list.items;
                    self.store.record_ip(RecordIp { ip, users, observed_at }).await?;
                    Ok(())
                }
                Err(error) => Err(error),
            });
            if let Some(outcome) = outcome {
                let subject = WatchSubject::Ip(ip);
                self.store.record_poll(RecordPoll { subject, outcome, at: observed_at }).await?;
            }
        }
        Ok(ended)
    }
}
