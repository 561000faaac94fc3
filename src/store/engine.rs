//! The seam between the ledger and what stores its rows.

use std::collections::BTreeMap;

use super::StoreError;
use crate::{
    domain::{Login, Retention, Timestamp},
    ledger::{Counts, Diff, Facts, Head, Keys, Touched},
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
/// - `save` makes the stored rows those of the difference, or fails as a whole. What it fails
///   with may be told by `commit`: the engine need not wait for a server before.
/// - What was committed is on the disk when `commit` returns.
/// - `sweep` is a transaction of its own, and touches nothing that is shown or
///   counted. So is each step of `erase`, which touches what is shown.
pub(in crate::store) trait Engine: Send {
    /// Begins a group; the numbers that were given last, and what is counted over all.
    fn begin(&mut self) -> Result<(Head, Counts), StoreError>;

    /// The term of whoever acts on the outside, as the group that was begun found it; 0 where
    /// nobody else can.
    fn fence(&self) -> i64 {
        0
    }

    /// Loads the rows of these keys.
    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError>;

    /// Saves a difference.
    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError>;

    /// Makes the group last, and lets other replicas know what it touched.
    fn commit(&mut self, touched: &Touched) -> Result<(), StoreError>;

    /// Does what nobody has to wait for: a group was answered.
    fn do_idle_work(&mut self) {}

    /// Gives the group up.
    fn roll_back(&mut self);

    /// Removes some of what a rule says is too old, at most `limit` rows a table;
    /// returns how many. 0 says that nothing is left to remove.
    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError>;

    /// Does one step of erasing a person.
    fn erase(&mut self, erasure: &Erasure) -> Result<Erased, StoreError>;

    /// Leaves the files as a reader likes to find them.
    fn close(&mut self);
}

/// What is too old to keep. What is open or watched stays, and so does what a
/// receiver still has to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Sweep {
    /// What is older than this goes; nothing does where there is no retention.
    pub(in crate::store) before: Retention<Timestamp>,
    /// Whether events that wait for the delivery by OTLP stay.
    pub(in crate::store) keep_pending: bool,
    /// The term in which it is asked for; in another one nothing goes.
    pub(in crate::store) fence: Option<i64>,
}

/// One step of erasing a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Erasure {
    /// Who.
    pub(in crate::store) login: Login,
    /// Whether nothing is to change: it is only counted what would.
    pub(in crate::store) is_trial: bool,
    /// How far the erasure has got.
    pub(in crate::store) place: Place,
}

/// How far an erasure has got. A number is that of the last row that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Place {
    /// At the tables that are small beside the log; they come first.
    Tables,
    /// At failures that ended.
    Ended(i64),
    /// At events.
    Events(i64),
    /// At what events of one delivery share.
    Contexts(i64),
    /// At deliveries.
    Deliveries(i64),
    /// At the files, which hold what rows left behind.
    Files,
    /// At the log beside the database.
    Log,
}

/// What one step of an erasure did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Erased {
    /// Rows that went, by table.
    pub(in crate::store) removed: BTreeMap<&'static str, u64>,
    /// Rows that do not name the person any more, by table.
    pub(in crate::store) redacted: BTreeMap<&'static str, u64>,
    /// Where the erasure goes on; nowhere after its end.
    pub(in crate::store) next: Option<Place>,
}

impl Erased {
    /// Counts rows that went.
    pub(in crate::store) fn count_removed(&mut self, table: &'static str, rows: usize) {
        count(&mut self.removed, table, rows);
    }

    /// Counts rows that do not name the person any more.
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
