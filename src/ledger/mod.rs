//! What becomes of a change: decided in memory, and pure.
//!
//! A [`Change`] says which rows it needs to know ([`Keys`]). Given those
//! ([`Facts`]), it decides what becomes of them; the difference between what was
//! loaded and what is known afterwards is what a store saves ([`Diff`]). Nothing
//! here reads a clock, a file or a socket.

mod body;
pub mod change;
mod diff;
mod facts;
mod fault;
mod keys;
mod moves;
mod query_result;
mod rows;
mod slice;
mod subject;
mod table;

pub use body::Body;
pub use diff::{Command, Diff, Differences};
use facts::known_to_service_keys;
pub use facts::{Facts, Report};
pub use fault::{Fault, row_name};
pub use keys::{EXPIRED_AT_ONCE, GapSlice, Keys, WholeTable};
pub use moves::Moves;
pub use query_result::QueryResult;
pub use rows::{
    Answered, Check, CheckNumber, CheckSet, Closed, Counts, DeliveryRow, Ending, Envelope,
    EventHour, Failure, Gap, GapEvents, Head, IpSnapshot, Job, ListingBegun, ListingDone, Member,
    NullList, OtlpState, Poll, Reason, Reasons, RefusedRow, Repeat, ServiceSeen, ServiceState,
    TitleChange, Totals, UserSnapshot,
};
pub use slice::{EventSlice, NextFailing, NextMoving, NextParked, NextUsers, Slice, stored_login};
pub use subject::{Subject, Touched};
pub use table::{Difference, Table};

/// Something that happened, which a store commits as a whole or not at all.
pub trait Change: std::fmt::Debug + Send + 'static {
    /// What its sender learns once it is committed.
    type Outcome: Send + 'static;

    /// Names the rows that [`apply`](Self::apply) reads or writes.
    fn keys(&self, keys: &mut Keys);

    /// Names the rows that only the first ones tell of: a text names a check, and a
    /// check its failures. What only applying the change tells is a
    /// [fault](Fault::NeedsFailures), after which it is applied again, alone.
    ///
    /// # Errors
    /// When a row of the first round cannot be read.
    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        let _ = (facts, keys);
        Ok(())
    }

    /// How much it costs to apply, in users or rows; groups are bounded by the sum.
    fn work(&self) -> usize {
        1
    }

    /// Whether it must be the only change of its group: its keys are a condition (what
    /// is parked, who comes next), and a change before it could make others meet it
    /// that were not loaded.
    fn is_alone(&self) -> bool {
        false
    }

    /// Decides, given the facts, what becomes of them. It may be called again after
    /// its effects were undone.
    ///
    /// # Errors
    /// When a row that it needs cannot be read; nothing of the change counts then.
    fn apply(&self, facts: &mut Facts) -> Result<Self::Outcome, Fault>;
}
