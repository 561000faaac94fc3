//! What the thread that writes waits for now, for whoever asks meanwhile.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Since when the thread waits for the database, if it does; clones share it.
///
/// What came of a try to commit is known at its end. A commit that waits for a standby, or a server
/// that hangs, ends it after half a minute, and until then nothing is committed.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<Option<Instant>>>);

impl UnderWay {
    /// Does something that waits for the database.
    pub(super) fn track<T>(&self, step: impl FnOnce() -> T) -> T {
        self.set(Some(Instant::now()));
        let done = step();
        self.set(None);
        done
    }

    /// For how long the database is waited for, where that is longer than `patience`.
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
