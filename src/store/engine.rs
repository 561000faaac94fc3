//! The seam between the ledger and what stores its rows.

use super::StoreError;
use crate::{
    domain::Timestamp,
    ledger::{Counts, Diff, Facts, Head, Keys},
};

/// What stores rows.
///
/// One thread calls it. A group of changes is `begin`, up to two times `load`,
/// `save`, `commit`; after an error it is `roll_back`. An engine promises:
///
/// - Between `begin` and `commit` nobody else writes: what was loaded holds until it
///   is saved. So the numbers of events are in the order of commits.
/// - `load` puts in a row, or that there is none, for every key that is asked for. A
///   row that cannot be understood is put in as unreadable and fails nobody else.
///   What is in the facts already stays.
/// - `save` makes the stored rows those of the difference, or fails as a whole.
/// - What was committed is on the disk when `commit` returns.
/// - `sweep` is a transaction of its own, and touches nothing that is shown or
///   counted.
pub(in crate::store) trait Engine: Send {
    /// Begins a group; the numbers that were given last, and what is counted over all.
    fn begin(&mut self) -> Result<(Head, Counts), StoreError>;

    /// Loads the rows of these keys.
    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError>;

    /// Saves a difference.
    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError>;

    /// Makes the group last.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Gives the group up.
    fn roll_back(&mut self);

    /// Removes some of what a rule says is too old, at most `limit` rows a table;
    /// returns how many. 0 says that nothing is left to remove.
    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError>;

    /// Leaves the files as a reader likes to find them.
    fn close(&mut self);
}

/// What is too old to keep. What is open or watched stays, and so does what a
/// receiver still has to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Sweep {
    /// What is older than this goes; nothing does where there is no retention.
    pub(in crate::store) before: Option<Timestamp>,
    /// Whether events that wait for the delivery by OTLP stay.
    pub(in crate::store) keep_pending: bool,
}
