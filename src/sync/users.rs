//! The job that asks about every watched user, and every user who fails a check.

use std::collections::BTreeMap;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Outcome, Pace},
    round::{self, Answered, Layout},
};
use crate::{
    cii::{ApiError, Client},
    clock,
    domain::{
        CheckFilter, Login, PollOutcome, Told, UserObservation, WatchSubject,
        failure::{FailureAnswer, Verdict},
    },
    store::{Reader, RecordFailures, RecordPoll, RecordUser, Store, StoreError},
};

/// Asks for the state of every watched user, and for the checks that every
/// watched or failing user fails, and records the answers.
#[derive(Debug)]
pub struct UsersJob {
    /// Whom to ask.
    pub client: Client,
    /// Who is watched or fails, and where answers go.
    pub store: Store,
    /// Requests at once.
    pub concurrency: usize,
    /// The checks the operator wants to hear of; can be exchanged while running.
    pub filter: watch::Receiver<CheckFilter>,
    /// Whether listings of the tenant tell who fails: then only those are asked
    /// about whom somebody named.
    pub tenant_is_listed: bool,
}

/// A user to ask about.
#[derive(Debug, Clone)]
struct Target {
    login: Login,
    is_watched: bool,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let named_only = self.tenant_is_listed;
        let targets = self.store.read(move |reader| targets(reader, named_only)).await?;
        let layout = Layout {
            batch_size: self.client.batch_size(),
            concurrency: self.concurrency,
            window: pace.window,
        };
        round::ask_all(&targets, layout, stop, |batch| self.ask(batch)).await
    }

    async fn recovered(&self) {
        self.client.recovered().await;
    }
}

fn targets(reader: &Reader, named_only: bool) -> Result<Vec<Target>, StoreError> {
    let watched = reader.watched_logins()?;
    let failing = reader.unwatched_failing_logins(named_only)?;
    let target = |is_watched| move |login| Target { login, is_watched };
    Ok(watched
        .into_iter()
        .map(target(true))
        .chain(failing.into_iter().map(target(false)))
        .collect())
}

impl UsersJob {
    /// Asks for states and for failing checks, whatever becomes of the first: a
    /// user whom the service no longer knows has no state, and that is an answer
    /// to the second.
    async fn ask(&self, batch: Vec<Target>) -> Result<Vec<Answered>, StoreError> {
        let logins = |watched_only: bool| -> Vec<Login> {
            let wanted = batch.iter().filter(|target| target.is_watched || !watched_only);
            wanted.map(|target| target.login.clone()).collect()
        };
        let watched = logins(true);
        let states = self.client.user_states(&watched).await;
        let mut polled = BTreeMap::new();
        for (login, state) in watched.into_iter().zip(states) {
            let state = state.map(|answer| answer.value);
            polled.insert(login.clone(), self.record_state(login, state).await?);
        }
        let asked_at = clock::now();
        let verdicts = self.client.failing_checks(&logins(false)).await;
        let mut ended = Vec::with_capacity(batch.len());
        for (Target { login, is_watched }, verdict) in batch.into_iter().zip(verdicts) {
            let state = polled.remove(&login).unwrap_or(Ok(()));
            let failures = match verdict {
                Ok(verdict) => {
                    self.record_verdict(login, verdict.value, asked_at).await?;
                    Ok(())
                }
                Err(error) => Err(error),
            };
            ended.push(match (failures, state) {
                // An API client that may not ask for this still gets the state.
                (Err(ApiError::Graphql(_) | ApiError::Malformed(_)), Ok(())) if is_watched => {
                    Ok(())
                }
                (failures, state) => state.and(failures),
            });
        }
        Ok(ended)
    }

    async fn record_state(
        &self,
        login: Login,
        state: Result<UserObservation, ApiError>,
    ) -> Result<Answered, StoreError> {
        let at = clock::now();
        let (outcome, ended) = match state {
            Ok(observation) => {
                let login = login.clone();
                let record = RecordUser { login, observation, observed_at: at };
                self.store.record_user(record).await?;
                (Some(PollOutcome::Answered), Ok(()))
            }
            Err(error) => (round::poll_outcome(&error), Err(error)),
        };
        if let Some(outcome) = outcome {
            let subject = WatchSubject::User(login);
            self.store.record_poll(RecordPoll { subject, outcome, at }).await?;
        }
        Ok(ended)
    }

    async fn record_verdict(
        &self,
        login: Login,
        verdict: Told<Verdict>,
        asked_at: crate::domain::Timestamp,
    ) -> Result<(), StoreError> {
        let Told::Told(verdict) = verdict else { return Ok(()) };
        let answer = FailureAnswer { login, verdict, asked_at, answered_at: clock::now() };
        let filter = self.filter.borrow().clone();
        self.store.record_failures(RecordFailures { answer, filter }).await
    }
}
