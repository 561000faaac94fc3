//! What becomes here of what other replicas commit.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Notify, watch};

use super::{
    Meters, Sight, Standing, Store, StoreError,
    announcements::Announcements,
    pending::Pending,
    postgres::{Audience, Lease},
    queue::Queue,
};
use crate::{
    blocking,
    ledger::{Touched, change::Probe},
};

/// Announces what others committed as the thread that writes announces what is committed here.
#[derive(Debug)]
pub(super) struct Others {
    pub(super) announcements: Announcements,
    pub(super) meters: Meters,
    pub(super) resend: Arc<Notify>,
    pub(super) queue: Arc<Queue>,
    /// Whether the last look failed.
    pub(super) is_away: AtomicBool,
    /// Whether it was said that no standby is waited for.
    pub(super) is_warned: AtomicBool,
}

impl Audience for Others {
    fn on_commit(&self, touched: Touched, is_erasure: bool) {
        if is_erasure {
            self.announcements.announce_erasure(touched);
        } else {
            self.announcements.announce_commit(touched);
        }
        // It may be that events are to be sent on purpose: the number of the newest does not tell.
        self.resend.notify_one();
    }

    fn on_newest_event(&self, newest: i64) {
        self.announcements.announce_newest_event(newest);
    }

    fn on_size(&self, bytes: u64) {
        self.meters.set_size(bytes);
    }

    fn on_standby(&self, is_synchronous: bool) {
        self.meters.set_standby(is_synchronous);
        if self.is_warned.swap(!is_synchronous, Ordering::Relaxed) != is_synchronous {
            return;
        }
        if is_synchronous {
            tracing::info!("commits wait for a synchronous standby: a failover loses nothing");
        } else {
            tracing::warn!(
                "the server has no synchronous_standby_names: should it fail over to a standby, \
                 deliveries that were acknowledged can be lost"
            );
        }
    }

    fn on_look(&self, outcome: Result<(), &StoreError>) {
        match outcome {
            Ok(()) if self.is_away.swap(false, Ordering::Relaxed) => {
                // Whether something can be committed again shows a commit; nobody waits for it.
                let (probe, _outcome) = Pending::new(Probe);
                let _ = self.queue.try_push(vec![probe]);
            }
            Ok(()) => {}
            Err(error) => {
                self.is_away.store(true, Ordering::Relaxed);
                self.meters.set_away();
                self.announcements.record_outcome(Err(error));
            }
        }
    }
}

impl Store {
    /// Begins to take part in who acts on the outside: polls, sends and prunes. `name` tells people
    /// who does. How this process stands can be watched; with a file it always is the one.
    ///
    /// # Errors
    /// When no thread can be started for it.
    pub async fn campaign(&self, name: &str) -> Result<watch::Receiver<Standing>, StoreError> {
        let Some(membership) = &self.shared.replica else {
            return Ok(watch::channel(Standing::Leader { fence: None }).1);
        };
        let (way, replica, name) =
            (membership.way.clone(), membership.replica.clone(), name.to_owned());
        let started = blocking::run(move || Lease::start(&way, &replica, &name)).await;
        let lease = started
            .ok_or(StoreError::Closed)?
            .map_err(|source| StoreError::NoThread(Arc::new(source)))?;
        let standing = lease.standing();
        *membership.lease() = Some(lease);
        Ok(standing)
    }

    /// Gives up to act, so that another one can at once.
    pub async fn resign(&self) {
        let Some(membership) = &self.shared.replica else { return };
        let lease = membership.lease().take();
        // It waits for the server.
        let _ = blocking::run(move || drop(lease)).await;
    }

    /// This store for who acts in a term: what it commits after the term is refused.
    #[must_use]
    pub fn with_fence(&self, fence: Option<i64>) -> Self {
        Self { fence, ..self.clone() }
    }

    /// Resolves when what was committed before this call, by any replica, is announced; what was
    /// seen of the server then. Nothing, and at once, with a file.
    pub async fn catch_up(&self) -> Option<Sight> {
        match &self.shared.replica {
            Some(membership) => Some(membership.follower.look().await),
            None => None,
        }
    }

    /// What was last seen of the server; nothing with a file.
    #[must_use]
    pub fn sight(&self) -> Option<Sight> {
        self.shared.replica.as_ref().map(|membership| membership.follower.sight())
    }

    /// Whether several processes can have the database open.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.replica.is_some()
    }
}
