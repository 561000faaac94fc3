//! The interface between the ledger and the engines that store its rows.

use std::collections::BTreeMap;

use super::{StoreError, under_way::UnderWay};
use crate::{
    domain::{Login, Retention, Timestamp},
    ledger::{Counts, Diff, Facts, Head, Keys, Touched},
};

/// Stores rows.
///
/// One thread calls it. A group of changes is `begin`, up to two times `load`, `save`, `commit`;
/// after an error it is `roll_back`. An engine guarantees:
///
/// - Between `begin` and `commit` no other process writes: loaded rows stay current until they are
///   saved. So the numbers of events are in the order of commits.
/// - `load` records for every requested key its row, or that there is none. A row that cannot be
///   decoded is recorded as unreadable and does not fail the others. What the facts contain already
///   stays.
/// - `save` applies the diff to the stored rows, or fails as a whole. The error may be returned by
///   `commit` instead: the engine need not wait for a server before.
/// - What was committed is on the disk when `commit` returns.
/// - `sweep` is a transaction of its own, and touches nothing that is shown or counted. Each step
///   of `erase` is one, too, and touches what is shown.
pub(in crate::store) trait Engine: Send {
    /// Sets what the engine restarts at each answer of the database within a call. It tells a call that
    /// is only large from one that waits for a database that hangs.
    fn report_answers(&mut self, _under_way: UnderWay) {}

    /// Begins a group; returns the last number of each kind and the counts.
    fn begin(&mut self) -> Result<(Head, Counts), StoreError>;

    /// The leader's term, as the group's `begin` read it; 0 where only one process can open the
    /// database.
    fn fence(&self) -> i64 {
        0
    }

    /// Loads the rows of these keys.
    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError>;

    /// Saves a diff.
    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError>;

    /// Commits the group, and announces to other replicas what it touched.
    fn commit(&mut self, touched: &Touched) -> Result<(), StoreError>;

    /// Does work for which no sender waits; called after a group was answered.
    fn do_idle_work(&mut self) {}

    /// Discards the group.
    fn roll_back(&mut self);

    /// Removes rows that are too old by a rule, at most `limit` rows a table; returns their number.
    /// 0 means that no such row is left.
    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError>;

    /// Does one step of erasing a person.
    fn erase(&mut self, erasure: &Erasure) -> Result<Erased, StoreError>;

    /// Closes the database and leaves the files ready for readers.
    fn close(&mut self);
}

/// Which rows are too old. Rows that are open or watched stay, and so do events that a receiver has
/// not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Sweep {
    /// The moment before which each kind of row is removed; none where it is kept for ever.
    pub(in crate::store) before: Retention<Timestamp>,
    /// Whether events that wait for the OTLP delivery stay.
    pub(in crate::store) keep_pending: bool,
    /// The term for which it was requested; in another term nothing is removed.
    pub(in crate::store) fence: Option<i64>,
}

/// One step of erasing a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Erasure {
    /// The person's login.
    pub(in crate::store) login: Login,
    /// Whether rows are only counted and not changed.
    pub(in crate::store) is_trial: bool,
    /// The position of the erasure.
    pub(in crate::store) place: Place,
}

/// The position of an erasure. A number is that of the last row that was processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Place {
    /// At the tables that are small compared with the log; they come first.
    Tables,
    /// At ended failures.
    Ended(i64),
    /// At events.
    Events(i64),
    /// At attributes that the events of one delivery share.
    Contexts(i64),
    /// At deliveries.
    Deliveries(i64),
    /// At the files, which still contain the bytes of removed rows.
    Files,
    /// At the write-ahead log.
    Log,
}

/// The result of one step of an erasure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Erased {
    /// The number of removed rows, by table.
    pub(in crate::store) removed: BTreeMap<&'static str, u64>,
    /// The number of rows from which the person was redacted, by table.
    pub(in crate::store) redacted: BTreeMap<&'static str, u64>,
    /// The next position; none at the end.
    pub(in crate::store) next: Option<Place>,
}

impl Erased {
    /// Counts removed rows.
    pub(in crate::store) fn count_removed(&mut self, table: &'static str, rows: usize) {
        count(&mut self.removed, table, rows);
    }

    /// Counts redacted rows.
    pub(in crate::store) fn count_redacted(&mut self, table: &'static str, rows: usize) {
        count(&mut self.redacted, table, rows);
    }

    /// Whether rows changed.
    pub(in crate::store) fn has_changes(&self) -> bool {
        !self.removed.is_empty() || !self.redacted.is_empty()
    }
}

fn count(counts: &mut BTreeMap<&'static str, u64>, table: &'static str, rows: usize) {
    if rows > 0 {
        *counts.entry(table).or_default() += rows as u64;
    }
}
