//! Handles commits of other replicas.

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

/// Announces commits of other replicas, in the same way as the writer thread announces this
/// process's own.
#[derive(Debug)]
pub(super) struct Others {
    pub(super) announcements: Announcements,
    pub(super) meters: Meters,
    pub(super) resend: Arc<Notify>,
    pub(super) queue: Arc<Queue>,
    /// Whether the last request to the server failed.
    pub(super) is_away: AtomicBool,
    /// Whether it was logged that commits do not wait for a standby.
    pub(super) is_warned: AtomicBool,
}

impl Audience for Others {
    fn on_commit(&self, touched: Touched, is_erasure: bool) {
        if is_erasure {
            self.announcements.announce_erasure(touched);
        } else {
            self.announcements.announce_commit(touched);
        }
        // The commit may have requested events on purpose, which the number of the newest event
        // does not show.
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
                // A commit proves that the store can commit again; no caller waits for its outcome.
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
    /// Begins to campaign for leadership: the leader polls, sends and prunes. `name` identifies
    /// this replica to operators. The returned channel has this process's standing; with a file it
    /// is always the leader.
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

    /// Gives up leadership, so that another replica can take it at once.
    pub async fn resign(&self) {
        let Some(membership) = &self.shared.replica else { return };
        let lease = membership.lease().take();
        // Dropping the lease blocks on the server.
        let _ = blocking::run(move || drop(lease)).await;
    }

    /// A handle for the leader of a term: what it commits after the term is refused.
    #[must_use]
    pub fn with_fence(&self, fence: Option<i64>) -> Self {
        Self { fence, ..self.clone() }
    }

    /// Resolves when everything that any replica committed before this call is announced; returns
    /// what was seen of the server then. With a file it returns none, at once.
    pub async fn catch_up(&self) -> Option<Sight> {
        match &self.shared.replica {
            Some(membership) => Some(membership.follower.look().await),
            None => None,
        }
    }

    /// What was last seen of the server; none with a file.
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
