//! What the simulator was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

/// Requests that are remembered in full.
const REMEMBERED: usize = 10_000;

/// A request for a root field, or for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The root field, or `token`.
    pub operation: String,
    /// The variables that came with the query.
    pub variables: Value,
}

/// The requests so far.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    counts: BTreeMap<String, usize>,
    last: VecDeque<Request>,
    now: usize,
    most_at_once: usize,
}

impl Requests {
    /// How often a root field, or `token`, was asked for.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.lock().counts.get(operation).copied().unwrap_or(0)
    }

    /// All counts.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.lock().counts.clone()
    }

    /// The most requests that were in hand at once.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// The last requests, the oldest first.
    #[must_use]
    pub fn last(&self) -> Vec<Request> {
        self.lock().last.iter().cloned().collect()
    }

    pub(crate) fn begin(&self, operations: &[String], variables: &Value) -> InHand<'_> {
        let mut seen = self.lock();
        for operation in operations {
            *seen.counts.entry(operation.clone()).or_default() += 1;
            if seen.last.len() == REMEMBERED {
                seen.last.pop_front();
            }
            let request = Request { operation: operation.clone(), variables: variables.clone() };
            seen.last.push_back(request);
        }
        seen.now += 1;
        seen.most_at_once = seen.most_at_once.max(seen.now);
        InHand(self)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
pub(crate) struct InHand<'a>(&'a Requests);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.lock().now -= 1;
    }
}
