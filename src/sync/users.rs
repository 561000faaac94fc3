//! The job that asks about every watched user, and every user who fails a check.

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    questions::{Target, UserQuestions},
};
use crate::{
    clock,
    domain::{JobOutcome, RunEnd},
    store::{Reader, StoreError},
};

/// How old a listing that told who fails may get by runs that fail before its users are
/// asked about by name.
const LISTING_HOLDS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Users at most who are neither listed nor followed that one run asks about; the others
/// in the next runs. At the default budget that is a few minutes of it.
const OTHERS_AT_MOST: usize = 20_000;

/// Asks for the state of every watched user, and for the checks that every
/// watched or failing user fails, and records the answers.
#[derive(Debug)]
pub struct UsersJob {
    /// How to ask.
    pub questions: UserQuestions,
    /// Whether the tenant is listed: a listing ends the failures of users who are neither
    /// listed nor followed.
    pub tenant_is_listed: bool,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let is_listed = self.tenant_is_listed;
        let max_users = self.questions.policy.borrow().max_users;
        let read = move |reader: &Reader| load_targets(reader, is_listed, max_users);
        let targets = self.questions.store.read(read).await?;
        Ok(self.questions.ask_about(&targets, pace.window, stop).await?.end())
    }

    async fn wait_until_recovered(&self) {
        self.questions.client.wait_until_recovered().await;
    }
}

/// Whom to ask about: listed users, followed ones, and others who fail a check where no
/// listing tells of them.
fn load_targets(
    reader: &Reader,
    tenant_is_listed: bool,
    max_users: usize,
) -> Result<Vec<Target>, StoreError> {
    let listed = reader.listed_logins()?;
    let room = max_users.saturating_sub(listed.len());
    let with_state = |login| Target { login, is_watched: true };
    let mut targets: Vec<_> = listed.into_iter().map(with_state).collect();
    // Past the limit only snapshots are not taken: failures end by name.
    let followed = reader.followed_logins()?.into_iter().enumerate();
    targets.extend(followed.map(|(position, login)| Target { login, is_watched: position < room }));
    if !(tenant_is_listed && listing_reports_failing(reader)?) {
        let others = reader.unwatched_failing_logins(OTHERS_AT_MOST)?;
        targets.extend(others.into_iter().map(|login| Target { login, is_watched: false }));
    }
    Ok(targets)
}

/// Whether the listing of the tenant runs and tells who fails: not without the right, and
/// not when the last one that came to its end is old because others broke off.
fn listing_reports_failing(reader: &Reader) -> Result<bool, StoreError> {
    let outcome = reader.job_state("tenant")?.map(|state| state.end.outcome);
    if outcome == Some(JobOutcome::Off) {
        return Ok(false);
    }
    let complete = reader.tenant_listing_state()?.complete;
    Ok(match complete {
        Some(listing) => {
            let is_old = clock::now() - listing.at >= LISTING_HOLDS;
            listing.told && !(is_old && outcome == Some(JobOutcome::Failed))
        }
        // The first one is to come.
        None => outcome != Some(JobOutcome::Failed),
    })
}
