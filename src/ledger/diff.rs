//! What a group of changes makes different: what a store saves.

use std::sync::Arc;

use super::{
    Answered, Check, CheckNumber, Closed, Counts, DeliveryRow, EventHour, Failure, Head,
    IpSnapshot, Job, ListingBegun, ListingDone, Member, Moves, NextMoving, NullList, OtlpState,
    Poll, Reasons, RefusedRow, Repeat, ServiceState, TitleChange, UserSnapshot, table::Difference,
};
use crate::domain::{
    CheckId, ConfiguredChecks, Event, IpAddress, ListField, Login, Past, TenantId, Timestamp,
    WatchSubject, WebhookTarget, null_list::FieldMemory,
};

/// The differences of one table, by key.
pub type Differences<'a, K, V> = Vec<Difference<'a, K, V>>;

/// All that is to be saved, by table. References between rows point to what stands
/// further up.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The numbers that were given last.
    pub head: Head,
    /// What is counted over the whole store.
    pub counts: Counts,
    /// Deliveries, new, or in the place of one that was filtered out.
    pub deliveries: &'a [DeliveryRow],
    /// Deliveries that came again.
    pub repeats: &'a [Repeat],
    /// Refused deliveries that were replayed, or go.
    pub refused: Differences<'a, i64, RefusedRow>,
    /// Checks.
    pub checks: Differences<'a, CheckId, Check>,
    /// What the operator says of checks.
    pub configured: Differences<'a, (), Arc<ConfiguredChecks>>,
    /// Titles of checks, in order.
    pub titles: &'a [TitleChange],
    /// Failures that opened, were confirmed, or ended.
    pub failures: Differences<'a, (Login, CheckNumber), Failure>,
    /// Failures that ended, in order.
    pub closed: &'a [Closed],
    /// Who fails other checks than before.
    pub moves: Moves,
    /// How far answers have got.
    pub answered: Differences<'a, Login, Answered>,
    /// Snapshots of users.
    pub users: Differences<'a, Login, UserSnapshot>,
    /// Snapshots of addresses.
    pub ips: Differences<'a, IpAddress, IpSnapshot>,
    /// Why subjects are watched.
    pub watched: Differences<'a, WatchSubject, Reasons>,
    /// How logins are spelled, where that is not their identity.
    pub spellings: Differences<'a, Login, Arc<str>>,
    /// What users and addresses had, and have no longer.
    pub past: Differences<'a, WatchSubject, Past>,
    /// How asking about subjects ended.
    pub polls: Differences<'a, WatchSubject, Poll>,
    /// How jobs ended.
    pub jobs: Differences<'a, &'static str, Job>,
    /// Lists that are null.
    pub nulls: Differences<'a, (Login, ListField), NullList>,
    /// What the service gave for each list.
    pub list_memory: Differences<'a, ListField, FieldMemory>,
    /// The listing under way.
    pub listing: Differences<'a, (), ListingBegun>,
    /// The last complete listing.
    pub listing_done: Differences<'a, (), ListingDone>,
    /// Users of the listing under way; the number is that of the listing.
    pub members: Differences<'a, Login, Member>,
    /// Which tenant deliveries are from.
    pub tenant: Differences<'a, (), TenantId>,
    /// The service itself.
    pub service: Differences<'a, (), ServiceState>,
    /// The delivery by OTLP.
    pub otlp: Differences<'a, (), OtlpState>,
    /// Registered webhook targets.
    pub targets: Differences<'a, String, WebhookTarget>,
    /// Events in order; the last one has the number `head.event`.
    pub events: &'a [Event],
    /// Runs of events of one hour that began.
    pub hours: &'a [EventHour],
    /// What concerns many rows at once, in order.
    pub commands: &'a [Command],
}

impl Diff<'_> {
    /// The number of the first event.
    #[must_use]
    pub fn first_event(&self) -> i64 {
        self.head.event - i64::try_from(self.events.len()).unwrap_or(0) + 1
    }
}

/// Something about rows that no change has to know one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Writes to the disk, although nothing differs: whoever looks whether a commit is
    /// possible learns nothing from one that has nothing to write.
    Touch,
    /// The wall clock was believed at this moment.
    TrustClock {
        /// The moment.
        at: Timestamp,
    },
    /// The rules of whoever leads, in a form of the daemon's.
    KeepRules {
        /// The rules.
        text: String,
    },
    /// These events need not be sent on purpose any more.
    Resent(Vec<i64>),
    /// A collector refuses these events for ever.
    Park {
        /// Their numbers.
        events: Vec<i64>,
        /// Why.
        reason: &'static str,
        /// When.
        at: Timestamp,
    },
    /// Parked events with these numbers are sent on purpose, and are parked no longer.
    ResendParked(Vec<i64>),
    /// What refers to a check refers to another one: titles that it had, and failures that
    /// ended. Of those it is noted where they go; they can be very many.
    MergeCheck {
        /// The check that is no more.
        from: CheckNumber,
        /// The check that it turned out to be.
        into: CheckNumber,
        /// When.
        at: Timestamp,
    },
    /// Failures that ended become those of another check.
    MoveEnded(NextMoving),
    /// Public events with these numbers, both included, are sent on purpose.
    Resend {
        /// The first number.
        first: i64,
        /// The last number.
        last: i64,
    },
}
