//! Which of the processes on one database this is.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// This process's id among the replicas; clones share it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Replica(Arc<Mutex<String>>);

impl Replica {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(id())))
    }

    /// The id.
    pub(super) fn id(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes another id: what was committed under the old one reads as another's. That is so
    /// where it is not known whether something was.
    pub(super) fn renew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id();
    }
}

fn id() -> String {
    Uuid::now_v7().simple().to_string()
}
