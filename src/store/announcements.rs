//! Announces commits to readers that show what is stored, whether this process or another replica
//! made them.

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

/// The channels on which commits are announced; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Announcements {
    /// The number of the newest event.
    pub(super) event: watch::Sender<i64>,
    /// What recent commits touched.
    pub(super) recent: Arc<Recent>,
    /// The number of erasure steps that changed rows since the start.
    pub(super) erasures: Arc<AtomicU64>,
    /// The outcome of the last attempts to commit.
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

    /// Announces the number of the newest event; a number below the known one changes nothing.
    pub(super) fn announce_newest_event(&self, newest: i64) {
        self.event.send_if_modified(|seq| {
            let is_newer = newest > *seq;
            *seq = newest.max(*seq);
            is_newer
        });
    }

    /// Announces the outcome of an attempt to commit.
    pub(super) fn record_outcome(&self, outcome: Result<(), &StoreError>) {
        health::record_outcome(&self.health, outcome);
    }
}
