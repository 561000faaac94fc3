//! What whoever shows what is stored learns of a commit, whether this process made it or another
//! replica.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::watch;

use super::{
    StoreError,
    health::{self, Health},
    touched::Recent,
};
use crate::ledger::Touched;

/// Where commits are announced; clones announce to the same.
#[derive(Debug, Clone)]
pub(super) struct Announcements {
    /// The number of the newest event.
    pub(super) event: watch::Sender<i64>,
    /// What was touched.
    pub(super) recent: Arc<Recent>,
    /// How many steps of erasures changed rows since the start.
    pub(super) erasures: Arc<AtomicU64>,
    /// What came of the last tries to commit.
    pub(super) health: watch::Sender<Health>,
}

impl Announcements {
    /// Announces what a commit touched.
    pub(super) fn announce_commit(&self, touched: Touched) {
        self.recent.add(touched);
    }

    /// Announces that a step of an erasure changed rows, and what it touched.
    pub(super) fn announce_erasure(&self, touched: Touched) {
        self.erasures.fetch_add(1, Ordering::Relaxed);
        self.recent.add(touched);
    }

    /// Announces the number of the newest event; one that is older than what is known says nothing.
    pub(super) fn announce_newest_event(&self, newest: i64) {
        self.event.send_if_modified(|seq| {
            let is_newer = newest > *seq;
            *seq = newest.max(*seq);
            is_newer
        });
    }

    /// Announces what came of a try to commit.
    pub(super) fn record_outcome(&self, outcome: Result<(), &StoreError>) {
        health::record_outcome(&self.health, outcome);
    }
}
