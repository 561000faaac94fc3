//! Subjects whose answers cannot be read, so that they are asked about alone.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::meters::Operation;

/// Subjects remembered at most; others cost a few requests more.
const MAX: usize = 1000;

/// Subjects of batches whose part made the whole answer unreadable.
#[derive(Debug, Default)]
pub(super) struct Loners(Mutex<BTreeSet<(&'static str, String)>>);

impl Loners {
    pub(super) fn contains(&self, operation: Operation, subject: &str) -> bool {
        self.with_set(|known| known.contains(&(operation.into_str(), subject.to_owned())))
    }

    /// Asks about `subject` alone from now on.
    pub(super) fn add(&self, operation: Operation, subject: &str) {
        self.with_set(|known| {
            if known.len() < MAX {
                known.insert((operation.into_str(), subject.to_owned()));
            }
        });
    }

    /// Asks about `subject` together with others again.
    pub(super) fn remove(&self, operation: Operation, subject: &str) {
        self.with_set(|known| known.remove(&(operation.into_str(), subject.to_owned())));
    }

    fn with_set<T>(&self, then: impl FnOnce(&mut BTreeSet<(&'static str, String)>) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
