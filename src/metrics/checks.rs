//! Limits the checks that have series (`metrics.max_checks`), so that deliveries with invented
//! check ids do not fill Prometheus.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::CheckId;

/// The checks with series, and those beyond the limit.
#[derive(Debug, Default)]
pub(super) struct Checks {
    shown: BTreeSet<CheckId>,
    dropped: BTreeSet<CheckId>,
    /// The dropped checks in order of arrival. It can also contain checks that are no longer
    /// dropped.
    waiting: VecDeque<CheckId>,
}

impl Checks {
    /// Adds an existing check and returns whether it has series. The checks that came first have.
    pub(super) fn admit_check(&mut self, id: &CheckId, most: usize) -> bool {
        if self.shown.contains(id) {
            return true;
        }
        if self.shown.len() < most {
            return self.shown.insert(id.clone());
        }
        if self.dropped.is_empty() {
            tracing::warn!(
                most,
                "there are more checks than metrics.max_checks: the others have no series \
                 (cii_checks_dropped)"
            );
        }
        if self.dropped.insert(id.clone()) {
            self.waiting.push_back(id.clone());
        }
        false
    }

    /// Whether `more` further checks would exceed the limit.
    pub(super) fn would_overflow(&self, more: usize, most: usize) -> bool {
        self.shown.len().saturating_add(more) > most
    }

    pub(super) fn is_known(&self, id: &CheckId) -> bool {
        self.shown.contains(id) || self.dropped.contains(id)
    }

    /// Removes a check that no longer exists. Returns the dropped check that gets series in its
    /// place, if any.
    pub(super) fn forget_check(&mut self, id: &CheckId) -> Option<CheckId> {
        self.dropped.remove(id);
        if !self.shown.remove(id) {
            return None;
        }
        while let Some(next) = self.waiting.pop_front() {
            if self.dropped.remove(&next) {
                return Some(next);
            }
        }
        None
    }

    pub(super) fn dropped_count(&self) -> usize {
        self.dropped.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_came_first_are_shown_and_the_next_takes_a_place_that_is_free() {
        let (mut checks, id) = (Checks::default(), |text: &str| CheckId::new(text).unwrap());
        assert!(checks.admit_check(&id("c"), 2) && checks.admit_check(&id("b"), 2));
        assert!(!checks.admit_check(&id("a"), 2) && !checks.admit_check(&id("d"), 2));
        assert!(!checks.admit_check(&id("a"), 2) && checks.admit_check(&id("c"), 2));
        assert_eq!(checks.dropped_count(), 2);
        assert_eq!(checks.forget_check(&id("d")), None);
        assert_eq!(checks.forget_check(&id("b")), Some(id("a")));
        assert!(checks.admit_check(&id("a"), 2));
        assert_eq!((checks.dropped_count(), checks.forget_check(&id("c"))), (0, None));
    }
}
