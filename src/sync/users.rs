//! The job that polls every watched user, and every user who fails a check.

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    questions::{Coverage, Target, UserQuestions},
};
use crate::{
    clock,
    domain::{JobOutcome, RunEnd},
    store::{Reader, StoreError},
};

/// How old the last listing with failing checks may get, while newer ones fail, before its users
/// are polled by name.
const LISTING_HOLDS: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Maximum number of users who are neither listed nor followed that one run polls; the next runs
/// poll the others. At the default budget that takes a few minutes.
const OTHERS_AT_MOST: usize = 20_000;

/// Requests the state of every watched user, and the failing checks of every watched or failing
/// user, and records the answers.
#[derive(Debug)]
pub struct UsersJob {
    /// How users are polled.
    pub questions: UserQuestions,
    /// Whether the tenant is listed: the listing ends failures of users who are neither listed nor
    /// followed.
    pub tenant_is_listed: bool,
}

impl Job for UsersJob {
    const NAME: &'static str = "users";

    async fn run(&self, pace: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let is_listed = self.tenant_is_listed;
        let max_users = self.questions.policy.borrow().max_users;
        let read = move |reader: &Reader| load_targets(reader, is_listed, max_users);
        let targets = self.questions.store.read(read).await?;
        Ok(self.questions.ask_about(&targets, Coverage::All, pace.window, stop).await?.end())
    }

    async fn wait_until_recovered(&self) {
        self.questions.client.wait_until_recovered().await;
    }
}

/// The users to poll: listed ones, followed ones, and others who fail a check unless the tenant's
/// listing covers them.
fn load_targets(
    reader: &Reader,
    tenant_is_listed: bool,
    max_users: usize,
) -> Result<Vec<Target>, StoreError> {
    let listed = reader.listed_logins()?;
    let room = max_users.saturating_sub(listed.len());
    let with_state = |login| Target { login, is_watched: true };
    let mut targets: Vec<_> = listed.into_iter().map(with_state).collect();
    // Past the limit, followed users get no snapshots, but their failing checks are still polled.
    let followed = reader.followed_logins()?.into_iter().enumerate();
    targets.extend(followed.map(|(position, login)| Target { login, is_watched: position < room }));
    if !(tenant_is_listed && listing_reports_failing(reader)?) {
        let others = reader.unwatched_failing_logins(OTHERS_AT_MOST)?;
        targets.extend(others.into_iter().map(|login| Target { login, is_watched: false }));
    }
    Ok(targets)
}

/// Whether the listing of the tenant runs and has failing checks. It has not without the right, and
/// not when the last complete listing is old because newer ones were interrupted.
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
        // The first listing has not ended yet.
        None => outcome != Some(JobOutcome::Failed),
    })
}
