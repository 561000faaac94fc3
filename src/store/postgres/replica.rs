//! The identity of this process among the replicas of a database.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

/// This process's id among the replicas, and a signal of its commits; clones share both.
#[derive(Debug, Clone)]
pub(in crate::store) struct Replica(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: Mutex<String>,
    committed: Notify,
}

impl Replica {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { id: Mutex::new(id()), committed: Notify::new() }))
    }

    /// The id.
    pub(super) fn id(&self) -> String {
        self.0.id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another id. Commits under the old one then count as another replica's, which is needed
    /// when it is unknown whether a commit took place.
    pub(super) fn renew_id(&self) {
        *self.0.id.lock().unwrap_or_else(PoisonError::into_inner) = id();
    }

    /// Signals that a group was committed.
    pub(super) fn note_commit(&self) {
        self.0.committed.notify_one();
    }

    /// Resolves when a group was committed since it last resolved. For one task.
    pub(super) async fn wait_for_commit(&self) {
        self.0.committed.notified().await;
    }
}

fn id() -> String {
    Uuid::now_v7().simple().to_string()
}
