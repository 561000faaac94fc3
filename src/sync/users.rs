//! The job that asks about every watched user, and every user who fails a check.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Outcome},
    round::{self, Answered, AskError},
};
use crate::{
    cii::{ApiError, Client},
    clock,
    domain::{CheckFilter, Login, failure::FailureAnswer},
    store::{Reader, RecordFailures, RecordUser, Store, StoreError},
};

/// Asks for the state of every watched user, and for the checks that every
/// watched or failing user fails, and records the answers.
#[derive(Debug)]
pub struct UsersJob {
    /// Whom to ask.
    pub client: Arc<Client>,
    /// Who is watched or fails, and where answers go.
    pub store: Store,
    /// Users asked about at once.
    pub concurrency: usize,
    /// The checks the operator wants to hear of; can be exchanged while running.
    pub filter: watch::Receiver<CheckFilter>,
}

/// A user to ask about.
#[derive(Debug)]
struct Target {
    login: Login,
    is_watched: bool,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let targets = self.store.read(targets).await?;
        round::ask_all(targets, self.concurrency, stop, |target| self.ask(target)).await
    }
}

fn targets(reader: &Reader) -> Result<Vec<Target>, StoreError> {
    let watched = reader.watched_logins()?;
    let failing = reader.unwatched_failing_logins()?;
    let target = |is_watched| move |login| Target { login, is_watched };
    Ok(watched
        .into_iter()
        .map(target(true))
        .chain(failing.into_iter().map(target(false)))
        .collect())
}

impl UsersJob {
    async fn ask(&self, target: Target) -> Answered {
        let Target { login, is_watched } = target;
        // Both are asked, whatever becomes of the first: a user whom the service
        // no longer knows has no state, and that is an answer to the second.
        let state = if is_watched { self.ask_state(&login).await } else { Ok(()) };
        match (self.ask_failures(login).await, state) {
            // An API client that may not ask for this still gets the state.
            (Err(AskError::Api(ApiError::Graphql(_) | ApiError::Malformed(_))), Ok(()))
                if is_watched =>
            {
                Ok(())
            }
            (failures, state) => state.and(failures),
        }
    }

    async fn ask_state(&self, login: &Login) -> Answered {
        let observation = self.client.user_state(login).await?;
        let record = RecordUser { login: login.clone(), observation, observed_at: clock::now() };
        Ok(self.store.record_user(record).await?)
    }

    async fn ask_failures(&self, login: Login) -> Answered {
        let asked_at = clock::now();
        let Some(verdict) = self.client.failing_checks(&login).await? else { return Ok(()) };
        let answer = FailureAnswer { login, verdict, asked_at, answered_at: clock::now() };
        let filter = self.filter.borrow().clone();
        Ok(self.store.record_failures(RecordFailures { answer, filter }).await?)
    }
}
