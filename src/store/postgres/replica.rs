//! Which of the processes on one database this is.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

/// This process's id among the replicas, and whether it committed; clones share both.
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

    /// Takes another id: what was committed under the old one reads as another's. That is so
    /// where it is not known whether something was.
    pub(super) fn renew_id(&self) {
        *self.0.id.lock().unwrap_or_else(PoisonError::into_inner) = id();
    }

    /// Notes that something was committed.
    pub(super) fn note_commit(&self) {
        self.0.committed.notify_one();
    }

    /// Resolves when something was committed since it last resolved. For one task.
    pub(super) async fn wait_for_commit(&self) {
        self.0.committed.notified().await;
    }
}

fn id() -> String {
    Uuid::now_v7().simple().to_string()
}
