//! Decides what a change does, in memory and without side effects.
//!
//! A [`Change`] names the rows that it needs ([`Keys`]). Given those rows ([`Facts`]), it decides
//! how they change. The difference between the loaded rows and the rows afterwards is what a store
//! saves ([`Diff`]). Nothing here reads a clock, a file or a socket.

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
    /// The result that the caller gets once the change is committed.
    type Outcome: Send + 'static;

    /// Names the rows that [`apply`](Self::apply) reads or writes.
    fn keys(&self, keys: &mut Keys);

    /// Adds the rows that only the first rows reveal: a text names a check, and a check its
    /// failures. A row that only applying the change reveals is a [fault](Fault::NeedsFailures),
    /// after which the change is applied again, alone.
    ///
    /// # Errors
    /// When a row of the first keys cannot be read.
    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        let _ = (facts, keys);
        Ok(())
    }

    /// The cost of applying the change, in users or rows; it bounds the size of a group.
    fn work(&self) -> usize {
        1
    }

    /// Whether it must be the only change of its group. Its keys are a condition (all parked
    /// events, the next users), and an earlier change of the group could make rows match it that
    /// were not loaded.
    fn is_alone(&self) -> bool {
        false
    }

    /// Decides from the facts how the rows change. It may be called again after its effects were
    /// undone.
    ///
    /// # Errors
    /// When a row that it needs cannot be read; the change then has no effect.
    fn apply(&self, facts: &mut Facts) -> Result<Self::Outcome, Fault>;
}
