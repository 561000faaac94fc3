//! A change on its way to the writer thread, and its outcome on the way back.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::StoreError;
use crate::ledger::{Change, CheckNumber, Facts, Fault, Keys};

/// A change that waits to be committed, with the channel for its outcome.
pub(super) trait Waiting: Send {
    /// Adds the rows that it needs; it is in the group that is being built.
    fn keys(&mut self, keys: &mut Keys);
    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault>;
    fn work(&self) -> usize;
    fn is_alone(&self) -> bool;
    /// The term in which the change is valid; in another one it is refused.
    fn fence(&self) -> Option<i64>;
    /// Decides how the change affects the rows, and keeps the outcome for the sender.
    fn apply(&mut self, facts: &mut Facts) -> Result<(), Fault>;
    /// Makes the next attempt load all users who fail a check. Returns false if an attempt did so
    /// already: another one would change nothing.
    fn require_failures(&mut self, check: CheckNumber) -> bool;
    /// Moves the change to a later group.
    fn postpone(&mut self);
    /// Whether it was moved to a later group.
    fn is_postponed(&self) -> bool;
    /// Records that the change fails, whatever the outcome of its group.
    fn fail(&mut self, error: StoreError);
    /// Sends the outcome to the sender.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// The only implementation of [`Waiting`].
pub(super) struct Pending<C: Change, H = ()> {
    change: C,
    outcome: Option<Result<C::Outcome, StoreError>>,
    reply: oneshot::Sender<Result<C::Outcome, StoreError>>,
    fence: Option<i64>,
    /// Checks whose failing users are all needed, as applying the change showed.
    needed: BTreeSet<CheckNumber>,
    is_postponed: bool,
    /// Dropped after the change: fields are dropped in the order of declaration.
    _held: H,
}

impl<C: Change> Pending<C> {
    /// A change, and the channel on which its sender waits.
    pub(super) fn new(change: C) -> (Box<Self>, oneshot::Receiver<Result<C::Outcome, StoreError>>) {
        Self::new_holding(change, None, ())
    }
}

impl<C: Change, H> Pending<C, H> {
    /// A change with an object that is dropped after it.
    pub(super) fn new_holding(
        change: C,
        fence: Option<i64>,
        held: H,
    ) -> (Box<Self>, oneshot::Receiver<Result<C::Outcome, StoreError>>) {
        let (reply, outcome) = oneshot::channel();
        let pending = Self {
            change,
            outcome: None,
            reply,
            fence,
            needed: BTreeSet::new(),
            is_postponed: false,
            _held: held,
        };
        (Box::new(pending), outcome)
    }
}

impl<C: Change, H: Send> Waiting for Pending<C, H> {
    fn keys(&mut self, keys: &mut Keys) {
        self.is_postponed = false;
        self.change.keys(keys);
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        keys.failures_at.extend(&self.needed);
        self.change.further_keys(facts, keys)
    }

    fn require_failures(&mut self, check: CheckNumber) -> bool {
        self.needed.insert(check)
    }

    fn postpone(&mut self) {
        self.is_postponed = true;
    }

    fn is_postponed(&self) -> bool {
        self.is_postponed
    }

    fn fence(&self) -> Option<i64> {
        self.fence
    }

    fn work(&self) -> usize {
        self.change.work()
    }

    fn is_alone(&self) -> bool {
        self.change.is_alone()
    }

    fn apply(&mut self, facts: &mut Facts) -> Result<(), Fault> {
        self.outcome = Some(Ok(self.change.apply(facts)?));
        Ok(())
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (self.outcome, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(outcome)), Ok(())) => Ok(outcome),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // The sender may have stopped waiting; then no one reads the outcome.
        let _ = self.reply.send(outcome);
    }
}
