//! The job that asks about every watched user.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Outcome},
    round::{self, Answered},
};
use crate::{
    cii::Client,
    clock,
    domain::Login,
    store::{RecordUser, Store, StoreError},
};

/// Asks for the state of every watched user and records it.
#[derive(Debug)]
pub struct UsersJob {
    /// Whom to ask.
    pub client: Arc<Client>,
    /// Who is watched, and where answers go.
    pub store: Store,
    /// Users asked about at once.
    pub concurrency: usize,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let logins = self.store.read(crate::store::Reader::watched_logins).await?;
        round::ask_all(logins, self.concurrency, stop, |login| self.ask(login)).await
    }
}

impl UsersJob {
    async fn ask(&self, login: Login) -> Answered {
        let observation = self.client.user_state(&login).await?;
        let record = RecordUser { login, observation, observed_at: clock::now() };
        Ok(self.store.record_user(record).await?)
    }
}
