//! Polls users whom a delivery names, and new entries of the watch list, within a minute.
//! Everything else waits for its schedule.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    ips::IpQuestions,
    questions::{Coverage, Target, UserQuestions},
};
use crate::{
    cii::webhook,
    clock,
    domain::{IpAddress, Login, WatchStanding, WatchSubject},
    store::{NewsCursor, Reader, StoreError},
};

/// The delay between a delivery and the poll of its users: the API can lag behind the webhook, and
/// more deliveries often follow at once.
pub const PROMPT_DELAY: Duration = Duration::from_secs(20);

/// The maximum random part that is added to the delay.
const JITTER: f64 = 0.25;

/// Maximum number of users of one delivery that are polled; the job's next run polls the rest.
const MOST_OF_A_DELIVERY: usize = 200;

/// Maximum number of users, and of addresses, that one prompt polls.
const MOST_AT_ONCE: usize = 1_000;

/// Deliveries that one read transaction loads.
const READ_AT_ONCE: usize = 20;

/// The pause before a store that failed is read again.
const RETRY: Duration = Duration::from_secs(1);

/// Polls users whom deliveries name, and new entries of the watch list.
#[derive(Debug)]
pub struct Prompt {
    /// How users are polled.
    pub users: UserQuestions,
    /// How addresses are polled.
    pub ips: IpQuestions,
    /// The delay between a delivery and the poll of its users.
    pub delay: Duration,
}

impl Prompt {
    /// Follows new deliveries and watch entries until `stop` is cancelled. A wake-up carries no
    /// data: new rows are read from a cursor.
    ///
    /// # Errors
    /// When the store is closed meanwhile.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        // Subscribed before the cursor is read, so that no commit between the two is missed.
        let mut commits = self.users.store.commits();
        commits.mark_changed();
        let mut cursor = self.users.store.read(Reader::news_cursor).await?;
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = commits.changed() => if changed.is_err() { return Ok(()) },
                () = sleep_until(due) => {}
            }
            match self.ask_about_due(&mut cursor, &mut due, &stop).await {
                Err(StoreError::Closed) => return Err(StoreError::Closed),
                Err(error) => {
                    tracing::warn!(%error, "users named by deliveries wait for the next run");
                    tokio::time::sleep(RETRY).await;
                }
                Ok(()) => {}
            }
        }
    }

    /// Polls what is due.
    async fn ask_about_due(
        &self,
        cursor: &mut NewsCursor,
        due: &mut Option<Instant>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let NewsCursor { delivery, event } = *cursor;
        let (has_named, (event, listed)) = self
            .users
            .store
            .read(move |reader| {
                let listed = reader.watch_additions_after(event, MOST_AT_ONCE)?;
                Ok((reader.has_accepted_after(delivery)?, listed))
            })
            .await?;
        cursor.event = event;
        if has_named && due.is_none() {
            let wait = self.delay.mul_f64(1.0 + JITTER * fastrand::f64());
            *due = Some(Instant::now() + wait);
        }
        let mut targets = BTreeMap::new();
        let mut ips = Vec::new();
        for subject in listed {
            match subject {
                WatchSubject::User(login) => {
                    targets.insert(login, true);
                }
                WatchSubject::Ip(ip) => ips.push(ip),
            }
        }
        if due.is_some_and(|due| due <= Instant::now()) {
            *due = None;
            let max_users = self.users.policy.borrow().max_users;
            let read =
                self.users.store.read(move |reader| load_named_users(reader, delivery, max_users));
            let (newest, named) = read.await?;
            cursor.delivery = newest;
            targets.extend(named);
        }
        self.ask_about(targets, &ips, stop).await
    }

    async fn ask_about(
        &self,
        targets: BTreeMap<Login, bool>,
        ips: &[IpAddress],
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        if !targets.is_empty() {
            let target = |(login, is_watched)| Target { login, is_watched };
            let targets: Vec<_> = targets.into_iter().map(target).collect();
            let tally =
                self.users.ask_about(&targets, Coverage::Some, Duration::ZERO, stop).await?;
            tracing::debug!(users = targets.len(), end = ?tally.end(), "users asked about promptly");
        }
        if !ips.is_empty() {
            let tally = self.ips.ask_about(ips, Duration::ZERO, stop).await?;
            tracing::debug!(ips = ips.len(), end = ?tally.end(), "addresses asked about promptly");
        }
        Ok(())
    }
}

/// Resolves at this moment; never without one.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// The users whom deliveries after this number name, each with whether the state is requested; also
/// the number of the last delivery.
fn load_named_users(
    reader: &Reader,
    after: i64,
    max_users: usize,
) -> Result<(i64, BTreeMap<Login, bool>), StoreError> {
    let watched = reader.counts()?.watched_users();
    let has_room = usize::try_from(watched).is_ok_and(|watched| watched <= max_users);
    let newest = reader.news_cursor()?.delivery;
    let (mut read, mut targets) = (after, BTreeMap::new());
    while read < newest && targets.len() < MOST_AT_ONCE {
        let bodies = reader.accepted_bodies_after(read, READ_AT_ONCE)?;
        let Some((last, _)) = bodies.last() else { break };
        read = *last;
        for (_, body) in bodies {
            // The body was parsed before, when it was received.
            let Ok(delivery) = webhook::parse(&body, clock::now()) else { continue };
            let logins: Vec<_> = delivery.failing.iter().map(|user| user.login.as_str()).collect();
            let watched = reader.watched_among(&logins)?;
            let mut users = Vec::with_capacity(delivery.failing.len());
            for user in delivery.failing {
                let watched = watched.get(user.login.as_str());
                let standing = watched.map(|watched| watched.standing);
                // Past the limit, a user keeps getting snapshots if there is one already.
                let has_state = match standing {
                    Some(WatchStanding::Listed) => true,
                    Some(WatchStanding::Followed) => {
                        has_room || watched.is_some_and(|watched| watched.has_snapshot)
                    }
                    None => false,
                };
                users.push((standing.is_none(), standing, user.login, has_state));
            }
            // Listed users come first: the rest may be cut off.
            users.sort();
            users.truncate(MOST_OF_A_DELIVERY);
            targets.extend(users.into_iter().map(|(_, _, login, has_state)| (login, has_state)));
        }
    }
    Ok((newest, targets))
}
