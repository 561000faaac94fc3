//! Commits changes in groups: one thread loads what the group needs to know, lets
//! the ledger decide in memory, saves the difference and commits once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use super::{
    Meters, StoreError,
    announcements::Announcements,
    engine::Engine,
    pending::Waiting,
    queue::{Next, Queue},
};
use crate::{
    blocking,
    ledger::{Facts, Fault, Keys, Touched},
};

/// How often a transaction is tried that another transaction stands in the way of.
const TRIES: usize = 3;

/// The running thread; it ends when the last [`Store`](super::Store) is gone, or when
/// told.
#[derive(Debug)]
pub struct WriterThread {
    thread: JoinHandle<()>,
    queue: Arc<Queue>,
}

impl WriterThread {
    /// Commits what waits, closes the database and ends the thread.
    pub async fn stop(self) {
        self.queue.close();
        self.join().await;
    }

    /// Commits what waits, but begins no more than `patience` allows, closes the database and
    /// ends the thread. What is not committed by then is refused.
    pub async fn stop_within(self, patience: Duration) {
        self.queue.close_by(Instant::now() + patience);
        self.join().await;
    }

    async fn join(self) {
        let _ = blocking::run(move || self.thread.join()).await;
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Starts the thread. `held` is kept as long as it runs, and dropped also where it panics.
pub(super) fn start<H: Send + 'static>(
    engine: Box<dyn Engine>,
    held: H,
    queue: Arc<Queue>,
    announcements: Announcements,
    meters: Meters,
) -> std::io::Result<WriterThread> {
    let writer = Writer::new(engine, announcements, meters);
    let waiting = queue.clone();
    let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
        let _held = held;
        writer.run(&waiting);
    })?;
    Ok(WriterThread { thread, queue })
}

/// What the thread does.
pub(super) struct Writer {
    engine: Box<dyn Engine>,
    announcements: Announcements,
    meters: Meters,
}

type Group = Vec<Box<dyn Waiting>>;

impl Writer {
    pub(super) fn new(
        mut engine: Box<dyn Engine>,
        announcements: Announcements,
        meters: Meters,
    ) -> Self {
        engine.report_answers(meters.under_way.clone());
        Self { engine, announcements, meters }
    }

    /// The engine, to see what it stored.
    #[cfg(test)]
    pub(super) fn engine(&mut self) -> &mut dyn Engine {
        &mut *self.engine
    }

    fn run(mut self, queue: &Queue) {
        // Whoever waits when this thread ends, even by a panic, must not wait for ever.
        let _closes = CloseOnDrop(queue);
        while let Some(next) = queue.next() {
            match next {
                Next::Group(group) => self.commit(group),
                Next::Sweep(sweep, limit, reply) => {
                    let swept = retry_conflicts(|| {
                        self.meters.under_way.track(|| self.engine.sweep(&sweep, limit))
                    });
                    self.record_outcome(swept.as_ref().map(|_| ()));
                    let _ = reply.send(swept);
                }
                Next::Erase(erasure, reply) => {
                    let erased = retry_conflicts(|| {
                        self.meters.under_way.track(|| self.engine.erase(&erasure))
                    });
                    self.record_outcome(erased.as_ref().map(|_| ()));
                    // One whose end is not known may have taken place, too.
                    let may_be_done = match &erased {
                        Ok(erased) => erased.has_changes(),
                        Err(error) => error.is_unreachable(),
                    };
                    if !erasure.is_trial && may_be_done {
                        self.announcements.announce_erasure(Touched::everything());
                    }
                    let _ = reply.send(erased);
                }
            }
            self.engine.do_idle_work();
        }
        self.engine.close();
    }

    /// Commits changes, and answers each of their senders: together, but for those that
    /// are a group of their own.
    pub(super) fn commit(&mut self, changes: Group) {
        let mut together = Group::new();
        for change in changes {
            if change.is_alone() {
                self.commit_group(std::mem::take(&mut together));
                self.commit_group(vec![change]);
            } else {
                together.push(change);
            }
        }
        self.commit_group(together);
    }

    /// Commits a group, and what it leaves for groups of their own.
    fn commit_group(&mut self, group: Group) {
        // The last one is next.
        let mut left = vec![group];
        while let Some(group) = left.pop() {
            if !group.is_empty() {
                self.commit_once(group, &mut left);
            }
        }
    }

    /// Commits a group, and puts what is left for others on `left`.
    fn commit_once(&mut self, mut group: Group, left: &mut Vec<Group>) {
        let begun = Instant::now();
        let (mut postponed, mut one_by_one) = (Group::new(), Group::new());
        let committed = retry_conflicts(|| {
            self.transact(&mut group, &mut postponed).inspect_err(|_| self.engine.roll_back())
        });
        match committed {
            Ok(()) if group.is_empty() && !postponed.is_empty() => {}
            Ok(()) => {
                self.meters.commits.inc();
                self.meters.commit_duration.observe(begun.elapsed().as_secs_f64());
                self.record_outcome(Ok(()));
                answer_senders(group, &Ok(()));
            }
            Err(error) => {
                // One change with data that cannot be stored, or read, must not fail the
                // others.
                let concerns_one = error.is_about_data() || error.is_unreadable_row();
                if concerns_one && group.len() > 1 {
                    one_by_one = group;
                } else {
                    self.record_outcome(Err(&error));
                    answer_senders(group, &Err(error));
                }
            }
        }
        // Alone, what the first one needs is what it finds. The others follow in their order.
        let rest = postponed.split_off(postponed.len().min(1));
        left.extend([rest, postponed]);
        left.extend(one_by_one.into_iter().rev().map(|change| vec![change]));
    }

    /// Counts and tells what came of a try to commit.
    fn record_outcome(&self, outcome: Result<(), &StoreError>) {
        self.meters.record_outcome(outcome);
        self.announcements.record_outcome(outcome);
    }

    /// Commits a group up to the first change that turns out to need more rows: with what comes
    /// behind it, it is put before what is in `postponed`.
    fn transact(&mut self, group: &mut Group, postponed: &mut Group) -> Result<(), StoreError> {
        let under_way = &self.meters.under_way;
        let (head, counts) = under_way.track(|| self.engine.begin())?;
        let fence = self.engine.fence();
        for change in group.extract_if(.., |change| change.fence().is_some_and(|own| own != fence))
        {
            change.answer(Err(StoreError::NotLeader));
        }
        let mut facts = Facts::new(head, counts);
        let mut keys = Keys::default();
        for change in group.iter_mut() {
            change.keys(&mut keys);
        }
        under_way.track(|| self.engine.load(&keys, &mut facts))?;
        // What a large delivery asked for is not kept beside what came of it.
        drop(keys);
        let mut keys = Keys::default();
        // One whose keys are not all known has nothing to decide on.
        let mut decidable = Vec::with_capacity(group.len());
        for change in group.iter_mut() {
            match change.further_keys(&facts, &mut keys) {
                Ok(()) => decidable.push(change),
                Err(fault) => change.fail(fault.into()),
            }
        }
        under_way.track(|| self.engine.load(&keys, &mut facts))?;
        drop(keys);
        let mut is_cut = false;
        for change in decidable {
            if is_cut {
                change.postpone();
                continue;
            }
            facts.checkpoint();
            // A mistake in a decision fails its change: everything it did is undone.
            let applied = catch_unwind(AssertUnwindSafe(|| change.apply(&mut facts)));
            if let Err(fault) = applied.unwrap_or(Err(Fault::Panicked)) {
                facts.roll_back();
                is_cut = match fault {
                    Fault::NeedsFailures { check } => change.require_failures(check),
                    _ => false,
                };
                if is_cut {
                    change.postpone();
                } else {
                    change.fail(fault.into());
                }
            }
        }
        postponed.splice(..0, group.extract_if(.., |change| change.is_postponed()));
        if group.is_empty() && !postponed.is_empty() {
            self.engine.roll_back();
            return Ok(());
        }
        facts.checkpoint();
        let diff = facts.diff();
        under_way.track(|| self.engine.save(&diff))?;
        let moves = diff.moves;
        let touched = facts.touched(moves);
        if let Err(error) = under_way.track(|| self.engine.commit(&touched)) {
            if error.is_unreachable() {
                // It may have taken place: whoever shows what is stored looks for himself. The
                // follower of replicas may have passed it by meanwhile, as a commit of our own.
                self.announcements.announce_commit(Touched::everything());
            }
            return Err(error);
        }
        // Announced before it is answered: whoever has the answer finds the
        // announcement made.
        self.announcements.announce_commit(touched);
        self.announcements.announce_newest_event(facts.head().event);
        Ok(())
    }
}

/// Does a transaction again that another one stands in the way of.
fn retry_conflicts<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut done = work();
    for _ in 1..TRIES {
        if !done.as_ref().is_err_and(StoreError::is_conflict) {
            break;
        }
        done = work();
    }
    done
}

fn answer_senders(group: Group, committed: &Result<(), StoreError>) {
    for change in group {
        change.answer(committed.clone());
    }
}

struct CloseOnDrop<'a>(&'a Queue);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
        self.0.refuse();
    }
}
