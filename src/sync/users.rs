//! The job that asks about every watched user, and every user who fails a check.

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    questions::{Target, UserQuestions},
};
use crate::{
    clock,
    domain::RunEnd,
    store::{Reader, StoreError},
};

/// How old a listing that told who fails may be for users whom only a listing
/// named to be left to the next one.
const LISTING_HOLDS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Asks for the state of every watched user, and for the checks that every
/// watched or failing user fails, and records the answers.
#[derive(Debug)]
pub struct UsersJob {
    /// How to ask.
    pub questions: UserQuestions,
    /// Whether listings of the tenant tell who fails: then only those are asked
    /// about whom somebody named.
    pub tenant_is_listed: bool,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let is_listed = self.tenant_is_listed;
        let targets = self.questions.store.read(move |reader| targets(reader, is_listed)).await?;
        Ok(self.questions.ask_about(&targets, pace.window, stop).await?.end())
    }

    async fn recovered(&self) {
        self.questions.client.recovered().await;
    }
}

fn targets(reader: &Reader, tenant_is_listed: bool) -> Result<Vec<Target>, StoreError> {
    let complete = reader.tenant_listing_state()?.complete.filter(|_| tenant_is_listed);
    // A listing that tells nobody's failing checks, or is old, ends no failure.
    let named_only =
        complete.is_some_and(|listing| listing.told && clock::now() - listing.at < LISTING_HOLDS);
    let watched = reader.watched_logins()?;
    let failing = reader.unwatched_failing_logins(named_only)?;
    let target = |is_watched| move |login| Target { login, is_watched };
    Ok(watched
        .into_iter()
        .map(target(true))
        .chain(failing.into_iter().map(target(false)))
        .collect())
}
