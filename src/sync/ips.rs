//! The job that asks about every watched IP address.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Outcome},
    round::{self, Answered},
};
use crate::{
    cii::Client,
    clock,
    domain::IpAddress,
    store::{RecordIp, Store, StoreError},
};

/// Asks for the users of every watched address and records them.
#[derive(Debug)]
pub struct IpsJob {
    /// Whom to ask.
    pub client: Arc<Client>,
    /// What is watched, and where answers go.
    pub store: Store,
    /// Addresses asked about at once.
    pub concurrency: usize,
    /// Users a page.
    pub page_size: u32,
}

impl Job for IpsJob {
    const NAME: &'static str = "ips";

    async fn run(&self, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let ips = self.store.read(crate::store::Reader::watched_ips).await?;
        round::ask_all(ips, self.concurrency, stop, |ip| self.ask(ip)).await
    }
}

impl IpsJob {
    async fn ask(&self, ip: IpAddress) -> Answered {
        let users = self.client.ip_users(ip, self.page_size).await?;
        let record = RecordIp { ip, users, observed_at: clock::now() };
        Ok(self.store.record_ip(record).await?)
    }
}
