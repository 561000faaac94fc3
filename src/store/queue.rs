//! The queue of changes to commit, and which of them share a commit.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    StoreError,
    engine::{Erased, Erasure, Sweep},
    pending::Waiting,
};

/// Maximum number of waiting changes; beyond it, a sender that must not wait gets `Busy`.
const MOST_WAITING: usize = 2048;

/// The work of a group: about 50 ms on two cores. A change is never split, so a large one is a
/// group with more work.
const GROUP_WORK: usize = 4000;

/// Maximum number of changes in a group.
const GROUP_CHANGES: usize = 512;

/// The work from which a change is large: small ones overtake it, and it is a group of its own.
const LARGE: usize = 500;

/// The number of groups that are committed before a waiting sweep or erasure: about a second under
/// continuous load.
const GROUPS_FIRST: usize = 32;

/// The channel for a sweep's outcome: the number of removed rows.
type SweepReply = oneshot::Sender<Result<usize, StoreError>>;

/// The channel for the outcome of an erasure step.
type EraseReply = oneshot::Sender<Result<Erased, StoreError>>;

/// The next work of the writer thread.
pub(super) enum Next {
    /// Commit these changes together.
    Group(Vec<Box<dyn Waiting>>),
    /// Remove rows that are too old.
    Sweep(Sweep, usize, SweepReply),
    /// Do a step of an erasure.
    Erase(Erasure, EraseReply),
}

/// The queue of the writer thread.
pub(super) struct Queue {
    places: Arc<Semaphore>,
    waiting: Mutex<Waiters>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiters {
    small: VecDeque<Entry>,
    large: VecDeque<Entry>,
    sweeps: VecDeque<(Sweep, usize, SweepReply)>,
    /// Whether the last group had small changes; a large one is next then.
    was_small: bool,
    erasures: VecDeque<(Erasure, EraseReply)>,
    /// Groups that were taken before the waiting sweep or erasure.
    passed: usize,
    is_closed: bool,
    /// Once closed: until when waiting changes are still committed.
    end: Option<Instant>,
}

/// Changes that are committed together, with their place in the queue.
struct Entry {
    changes: Vec<Box<dyn Waiting>>,
    work: usize,
    _place: OwnedSemaphorePermit,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            waiting: Mutex::default(),
            wake: Condvar::new(),
        }
    }

    /// Adds changes that are committed together, waiting for a place.
    pub(super) async fn push(&self, changes: Vec<Box<dyn Waiting>>) -> Result<(), StoreError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        self.add(changes, place)
    }

    /// Adds changes that are committed together, or refuses at once when there is no place.
    pub(super) fn try_push(&self, changes: Vec<Box<dyn Waiting>>) -> Result<(), StoreError> {
        let place = self.places.clone().try_acquire_owned().map_err(|error| match error {
            tokio::sync::TryAcquireError::NoPermits => StoreError::Busy,
            tokio::sync::TryAcquireError::Closed => StoreError::Closed,
        })?;
        self.add(changes, place)
    }

    fn add(
        &self,
        changes: Vec<Box<dyn Waiting>>,
        place: OwnedSemaphorePermit,
    ) -> Result<(), StoreError> {
        let work = changes.iter().map(|change| change.work()).sum();
        let entry = Entry { changes, work, _place: place };
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(StoreError::Closed);
        }
        let queue = if work >= LARGE { &mut waiting.large } else { &mut waiting.small };
        queue.push_back(entry);
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Requests that some rows which are too old are removed.
    pub(super) fn push_sweep(
        &self,
        sweep: Sweep,
        limit: usize,
    ) -> Result<oneshot::Receiver<Result<usize, StoreError>>, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(StoreError::Closed);
        }
        waiting.sweeps.push_back((sweep, limit, reply));
        drop(waiting);
        self.wake.notify_one();
        Ok(outcome)
    }

    /// Requests a step of an erasure.
    pub(super) fn push_erasure(
        &self,
        erasure: Erasure,
    ) -> Result<oneshot::Receiver<Result<Erased, StoreError>>, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Err(StoreError::Closed);
        }
        waiting.erasures.push_back((erasure, reply));
        drop(waiting);
        self.wake.notify_one();
        Ok(outcome)
    }

    /// Closes the queue; waiting changes are still committed.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.places.close();
        self.wake.notify_all();
    }

    /// Closes the queue; waiting changes are committed until `end`, and dropped then.
    pub(super) fn close_by(&self, end: Instant) {
        self.lock().end = Some(end);
        self.close();
    }

    /// Closes the queue and drops waiting changes, because no thread is left to commit them.
    pub(super) fn refuse(&self) {
        // Closed under the same lock: a change that came in between would wait for ever.
        let closed = Waiters { is_closed: true, ..Waiters::default() };
        let dropped = std::mem::replace(&mut *self.lock(), closed);
        // Dropped outside the lock, because dropping wakes the senders.
        drop(dropped);
    }

    /// The next work; none when the queue is closed and empty. It blocks until there is some.
    pub(super) fn next(&self) -> Option<Next> {
        let mut waiting = self.lock();
        loop {
            if waiting.end.is_some_and(|end| end <= Instant::now()) {
                return None;
            }
            if let Some(next) = waiting.next() {
                return Some(next);
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiters> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiters {
    /// Sweeps and erasures can wait, but not for ever.
    fn next(&mut self) -> Option<Next> {
        let is_due = self.passed >= GROUPS_FIRST;
        if !is_due && let Some(group) = self.group() {
            let others_wait = !self.sweeps.is_empty() || !self.erasures.is_empty();
            self.passed += usize::from(others_wait);
            return Some(Next::Group(group));
        }
        self.passed = 0;
        // An erasure goes before waiting sweeps, so that it waits for at most one.
        if let Some((erasure, reply)) = self.erasures.pop_front() {
            return Some(Next::Erase(erasure, reply));
        }
        if let Some((sweep, limit, reply)) = self.sweeps.pop_front() {
            return Some(Next::Sweep(sweep, limit, reply));
        }
        self.group().map(Next::Group)
    }

    /// Small changes together, then one large one, in turns: no change starves, and a small one
    /// waits for at most one large change.
    fn group(&mut self) -> Option<Vec<Box<dyn Waiting>>> {
        if self.small.is_empty() || (self.was_small && !self.large.is_empty()) {
            self.was_small = false;
            return self.large.pop_front().map(|entry| entry.changes);
        }
        self.was_small = true;
        let mut group = Vec::new();
        let mut work = 0;
        while work < GROUP_WORK
            && group.len() < GROUP_CHANGES
            && let Some(entry) = self.small.pop_front()
        {
            work += entry.work;
            group.extend(entry.changes);
        }
        Some(group)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Retention, Timestamp},
        ledger::change::{Probe, RecordRefused},
        store::pending::Pending,
    };

    #[tokio::test]
    async fn what_is_too_old_goes_although_changes_never_end() {
        let queue = Queue::new();
        let before = Retention { events: None, deliveries: None, failures: None, snapshots: None };
        let _outcome =
            queue.push_sweep(Sweep { before, keep_pending: true, fence: None }, 1).unwrap();
        let mut groups = 0;
        loop {
            let (change, _outcome) = Pending::new(Probe);
            queue.push(vec![change]).await.unwrap();
            match queue.next().unwrap() {
                Next::Group(_) => groups += 1,
                Next::Sweep(..) => break,
                Next::Erase(..) => unreachable!(),
            }
        }
        assert_eq!(groups, GROUPS_FIRST);
        assert!(matches!(queue.next(), Some(Next::Group(_))), "and then they go on");
    }

    #[tokio::test]
    async fn bodies_that_are_large_share_a_group_by_their_bytes() {
        let queue = Queue::new();
        let refused = |bytes: usize| {
            let change = RecordRefused {
                received_at: Timestamp::UNIX_EPOCH,
                status: 400,
                result: "malformed",
                reason: "no JSON".to_owned(),
                size: Some(bytes),
                body: Some(vec![0; bytes].into()),
                is_packed: false,
            };
            Pending::new(change).0
        };
        let mut sizes = Vec::new();
        for _ in 0..64 {
            queue.push(vec![refused(1 << 20)]).await.unwrap();
        }
        for _ in 0..3 {
            // A change with a large body is a group of its own, like one with many users.
            queue.push(vec![refused(4 << 20)]).await.unwrap();
        }
        queue.close();
        while let Some(Next::Group(group)) = queue.next() {
            sizes.push(group.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), 67);
        assert!(sizes.iter().filter(|size| **size == 1).count() >= 3, "{sizes:?}");
        assert!(sizes.iter().all(|size| *size <= 16), "{sizes:?}");
    }
}
