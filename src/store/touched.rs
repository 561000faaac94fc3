//! What the last commits touched, for the reader that follows them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::ledger::Touched;

/// Maximum number of stored subjects. A reader that falls further behind reads everything again.
const MOST: usize = 200_000;

/// What the last commits touched, by the number of the commit since the start.
#[derive(Debug)]
pub(super) struct Recent {
    commits: Mutex<Commits>,
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Commits {
    /// The number of the newest commit that touched something.
    newest: u64,
    touched: VecDeque<Arc<Touched>>,
    size: usize,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { commits: Mutex::default(), newest: watch::Sender::new(0) }
    }

    /// The number of the newest commit that touched something.
    pub(super) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// Stores what a commit touched.
    pub(super) fn add(&self, touched: Touched) {
        if touched.is_empty() {
            return;
        }
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.newest += 1;
        commits.size += touched.len();
        commits.touched.push_back(Arc::new(touched));
        while commits.size > MOST
            && let Some(oldest) = commits.touched.pop_front()
        {
            commits.size -= oldest.len();
        }
        let newest = commits.newest;
        drop(commits);
        self.newest.send_replace(newest);
    }

    /// What the commits after this one touched, in order; none when that is no longer stored.
    pub(super) fn touched_after(&self, commit: u64) -> Option<Vec<Arc<Touched>>> {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = usize::try_from(commits.newest.saturating_sub(commit)).ok()?;
        let first = commits.touched.len().checked_sub(missed)?;
        let found: Vec<_> = commits.touched.iter().skip(first).cloned().collect();
        // There is one follower, which has read all of these.
        commits.touched.clear();
        commits.size = 0;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Subject;

    fn touched(subjects: impl IntoIterator<Item = Subject>) -> Touched {
        Touched { subjects: subjects.into_iter().collect(), ..Touched::default() }
    }

    #[test]
    fn who_follows_gets_what_came_since() {
        let recent = Recent::new();
        assert_eq!(recent.touched_after(0), Some(vec![]));
        recent.add(touched([Subject::Watched]));
        recent.add(touched([]));
        recent.add(touched([Subject::Tenant]));
        assert_eq!(*recent.newest().borrow(), 2);
        let found = recent.touched_after(0).unwrap();
        assert_eq!(*found[1], touched([Subject::Tenant]));
        assert_eq!(recent.touched_after(2), Some(vec![]));
    }

    #[test]
    fn who_falls_behind_reads_everything_anew() {
        let recent = Recent::new();
        for _ in 0..=MOST {
            recent.add(touched([Subject::Watched]));
        }
        assert_eq!(recent.touched_after(0), None);
        assert_eq!(recent.touched_after(1).unwrap().len(), MOST);
    }
}
