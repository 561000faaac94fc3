//! Subjects that are requested alone, because their part makes the answer of a batch unreadable.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use super::meters::Operation;

/// Most subjects that are remembered; others cost a few more requests.
const MAX: usize = 1000;

/// The subjects, by operation.
#[derive(Debug, Default)]
pub(super) struct Loners(Mutex<BTreeSet<(&'static str, String)>>);

impl Loners {
    pub(super) fn contains(&self, operation: Operation, subject: &str) -> bool {
        self.with_set(|known| known.contains(&(operation.into_str(), subject.to_owned())))
    }

    /// Requests `subject` alone from now on.
    pub(super) fn add(&self, operation: Operation, subject: &str) {
        self.with_set(|known| {
            if known.len() < MAX {
                known.insert((operation.into_str(), subject.to_owned()));
            }
        });
    }

    /// Requests `subject` in batches again.
    pub(super) fn remove(&self, operation: Operation, subject: &str) {
        self.with_set(|known| known.remove(&(operation.into_str(), subject.to_owned())));
    }

    fn with_set<T>(&self, then: impl FnOnce(&mut BTreeSet<(&'static str, String)>) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
