//! Keeps the view current: each commit names the subjects that it touched, and their rows are read
//! again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Scope,
    describe::Known,
    round::{self, Totals},
    view::View,
};
use crate::{
    clock,
    ledger::{self, Touched},
    store::{Reader, Store, StoreError},
};

/// Pause before the next try when the store could not be read.
const RETRY: Duration = Duration::from_secs(1);

/// Pause between rounds while no scrape waits, so that subjects that a stream of deliveries touches
/// repeatedly are read once per round.
const SPACING: Duration = Duration::from_millis(250);

/// Longest wait until the wall clock is read again, to find samples that change with time.
const CLOCK_CHECK: Duration = Duration::from_mins(1);

/// Which commit the view has reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// The number of the newest commit in the view.
    pub(super) commit: u64,
    /// When the view reached it.
    pub(super) at: Instant,
}

/// The part of the projector that an exposition uses.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    pub(super) view: Arc<Mutex<View>>,
    pub(super) reached: watch::Receiver<Reached>,
    /// Notified by a scrape that waits for the view: the projector skips its pause.
    pub(super) hurry: Arc<Notify>,
}

/// Follows commits and updates the view.
#[derive(Debug)]
pub struct Projector {
    store: Store,
    view: Arc<Mutex<View>>,
    totals: Arc<Mutex<Totals>>,
    scope: watch::Receiver<Scope>,
    reached: watch::Sender<Reached>,
    hurry: Arc<Notify>,
    /// The number of the newest commit whose subjects were taken from the store. The store returns
    /// the subjects of a commit only once.
    taken: u64,
    /// Subjects that were taken and are not in the view yet. A failed round leaves them for the
    /// next one.
    pending: Option<Pending>,
}

/// What the next round has to read.
#[derive(Debug, Clone)]
enum Pending {
    Everything,
    Some(Touched),
}

impl Projector {
    /// Builds the view from the store.
    pub(super) async fn rebuild(
        store: Store,
        scope: watch::Receiver<Scope>,
    ) -> Result<(Self, Projection), StoreError> {
        let commit = *store.changes().borrow();
        let reached = watch::Sender::new(Reached { commit, at: Instant::now() });
        let mut projector = Self {
            store,
            view: Arc::default(),
            totals: Arc::default(),
            scope,
            reached,
            hurry: Arc::default(),
            taken: commit,
            pending: Some(Pending::Everything),
        };
        projector.run_round(commit).await?;
        let projection = Projection {
            view: projector.view.clone(),
            reached: projector.reached.subscribe(),
            hurry: projector.hurry.clone(),
        };
        Ok((projector, projection))
    }

    /// Follows commits until stopped.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut changes = self.store.changes();
        let mut scope = self.scope.clone();
        let mut is_failing = false;
        while !stop.is_cancelled() {
            let newest = *changes.borrow_and_update();
            if scope.has_changed().unwrap_or(false) {
                scope.mark_unchanged();
                self.pending = Some(Pending::Everything);
            }
            if self.reached.borrow().commit < newest || self.pending.is_some() {
                match self.follow_commits().await {
                    Ok(()) => is_failing = false,
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    Err(error) => {
                        if !std::mem::replace(&mut is_failing, true) {
                            tracing::error!(%error, "the metrics cannot be updated; the store is read again each second");
                        }
                        tokio::select! {
                            () = stop.cancelled() => return Ok(()),
                            () = tokio::time::sleep(RETRY) => {}
                        }
                        continue;
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = self.hurry.notified() => {}
                    () = tokio::time::sleep(SPACING) => {}
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
                Ok(()) = scope.changed() => self.pending = Some(Pending::Everything),
                () = tokio::time::sleep(self.time_until_due()) => self.queue_due_checks(),
            }
        }
        Ok(())
    }

    /// Time until samples next change with time alone, at most [`CLOCK_CHECK`], because the wall
    /// clock can be set.
    fn time_until_due(&self) -> Duration {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let next = totals.due.values().min().copied();
        drop(totals);
        let away = next.map(|at| (at - clock::now()).to_std().unwrap_or_default());
        away.map_or(CLOCK_CHECK, |away| away.min(CLOCK_CHECK))
    }

    /// Adds the checks whose samples have changed with time to the pending subjects.
    fn queue_due_checks(&mut self) {
        let now = clock::now();
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let due = totals.due.iter().filter(|(_, at)| **at <= now);
        let due: BTreeSet<_> = due.map(|(id, _)| ledger::Subject::Check(id.clone())).collect();
        drop(totals);
        if due.is_empty() {
            return;
        }
        match self.pending.get_or_insert(Pending::Some(Touched::default())) {
            Pending::Some(touched) => touched.subjects.extend(due),
            Pending::Everything => {}
        }
    }

    /// Takes the subjects that commits touched since the last round, and runs a round.
    async fn follow_commits(&mut self) -> Result<(), StoreError> {
        let from = self.taken;
        self.taken = if let Some(commits) = self.store.touched_after(from) {
            let mut touched = match self.pending.take() {
                Some(Pending::Some(touched)) => touched,
                other => {
                    self.pending = other;
                    Touched::default()
                }
            };
            for later in &commits {
                touched.extend(later);
            }
            if touched.is_anew {
                self.pending = Some(Pending::Everything);
            }
            self.pending.get_or_insert(Pending::Some(touched));
            from + u64::try_from(commits.len()).unwrap_or(0)
        } else {
            // Too far behind for single commits. The number is read before the rows: a commit in
            // between is then read twice, and never missed.
            self.pending = Some(Pending::Everything);
            *self.store.changes().borrow()
        };
        self.run_round(self.taken).await
    }

    async fn run_round(&mut self, commit: u64) -> Result<(), StoreError> {
        let Some(pending) = self.pending.clone() else { return Ok(()) };
        let is_everything = matches!(pending, Pending::Everything);
        let (totals, scope) = (self.totals.clone(), self.scope.borrow().clone());
        let read = move |reader: &Reader| {
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            let known = Known { reader, scope: &scope, now: clock::now() };
            match pending {
                Pending::Everything => round::read_everything(&known, &mut totals),
                Pending::Some(touched) => round::read_touched(&known, &mut totals, &touched),
            }
        };
        // If the round fails, the totals may have been updated in part, so the next round must
        // rebuild them.
        self.pending = Some(Pending::Everything);
        let replacements = self.store.read(read).await?;
        self.pending = None;
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if is_everything {
            // Subjects that were removed meanwhile are not among the replacements, so the old view
            // is dropped.
            *view = View::default();
        }
        for (subject, samples) in &replacements {
            view.replace_samples(subject.clone(), samples);
        }
        drop(view);
        self.reached.send_replace(Reached { commit, at: Instant::now() });
        Ok(())
    }
}
