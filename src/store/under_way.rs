//! For how long the writer thread has waited for the database.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Since when the writer thread waits for an answer of the database; clones share it.
///
/// The outcome of a commit is known only at its end. A commit that waits for a standby or a hanging
/// server ends after half a minute, and no other change is committed until then. A step that is only
/// large gets answers all the time, and is not mistaken for one that hangs.
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

    /// Begins the wait anew: the database answered, and has more to do. Outside of
    /// [`track`](Self::track) this does nothing.
    pub(super) fn restart(&self) {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some() {
            *since = Some(Instant::now());
        }
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

    #[test]
    fn an_answer_begins_the_wait_anew_and_none_begins_one() {
        let under_way = UnderWay::default();
        under_way.restart();
        assert_eq!(under_way.wait_longer_than(Duration::ZERO), None);
        let since = Instant::now().checked_sub(Duration::from_mins(1));
        under_way.set(since);
        assert!(under_way.wait_longer_than(Duration::from_secs(30)).is_some());
        under_way.restart();
        assert!(under_way.wait_longer_than(Duration::from_secs(30)).is_none());
    }
}
