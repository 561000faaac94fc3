//! The current wait of the writer thread, for callers that ask meanwhile.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Since when the writer thread waits for the database; clones share it.
///
/// The outcome of a commit is known only at its end. A commit that waits for a standby or a hanging
/// server ends after half a minute, and no other change is committed until then.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Option<Instant>>>);

impl UnderWay {
    /// Runs a step that waits for the database.
    pub(super) fn track<T>(&self, step: impl FnOnce() -> T) -> T {
        self.set(Some(Instant::now()));
        let done = step();
        self.set(None);
        done
    }

    /// How long the database has been waited for, if that is longer than `patience`.
    pub(super) fn wait_longer_than(&self, patience: Duration) -> Option<Duration> {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed()).filter(|waited| *waited > patience)
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seen_while_it_lasts_and_not_after() {
        let under_way = UnderWay::default();
        let other = under_way.clone();
        assert_eq!(other.wait_longer_than(Duration::ZERO), None);
        let waited = under_way.track(|| {
            while other.wait_longer_than(Duration::ZERO).is_none() {}
            (
                other.wait_longer_than(Duration::ZERO),
                other.wait_longer_than(Duration::from_hours(1)),
            )
        });
        assert!(waited.0.is_some() && waited.1.is_none(), "{waited:?}");
        assert_eq!(other.wait_longer_than(Duration::ZERO), None);
    }
}
