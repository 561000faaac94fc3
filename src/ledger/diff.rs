//! The differences that a group of changes makes: what a store saves.

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

/// Everything to save, by table. A row refers only to rows of tables further up.
#[derive(Debug)]
pub struct Diff<'a> {
    /// The last number of each kind.
    pub head: Head,
    /// Counts over the whole store.
    pub counts: Counts,
    /// Deliveries to insert, or to put in the place of one that was filtered out.
    pub deliveries: &'a [DeliveryRow],
    /// Deliveries that were received again.
    pub repeats: &'a [Repeat],
    /// Refused deliveries that were replayed or are removed.
    pub refused: Differences<'a, i64, RefusedRow>,
    /// Checks.
    pub checks: Differences<'a, CheckId, Check>,
    /// The operator's configuration of checks.
    pub configured: Differences<'a, (), Arc<ConfiguredChecks>>,
    /// Titles that checks got, in order.
    pub titles: &'a [TitleChange],
    /// Failures that were opened, confirmed or ended.
    pub failures: Differences<'a, (Login, CheckNumber), Failure>,
    /// Failures that ended, in order.
    pub closed: &'a [Closed],
    /// People whose set of failing checks changed.
    pub moves: Moves,
    /// The newest answers about users.
    pub answered: Differences<'a, Login, Answered>,
    /// Snapshots of users.
    pub users: Differences<'a, Login, UserSnapshot>,
    /// Snapshots of addresses.
    pub ips: Differences<'a, IpAddress, IpSnapshot>,
    /// Reasons why subjects are watched.
    pub watched: Differences<'a, WatchSubject, Reasons>,
    /// Spellings of logins that differ from their identity.
    pub spellings: Differences<'a, Login, Arc<str>>,
    /// Attributes that users and addresses no longer have.
    pub past: Differences<'a, WatchSubject, Past>,
    /// How polls ended.
    pub polls: Differences<'a, WatchSubject, Poll>,
    /// How jobs' runs ended.
    pub jobs: Differences<'a, &'static str, Job>,
    /// Lists that are null.
    pub nulls: Differences<'a, (Login, ListField), NullList>,
    /// For each list, whether and when the service gave it.
    pub list_memory: Differences<'a, ListField, FieldMemory>,
    /// The listing in progress.
    pub listing: Differences<'a, (), ListingBegun>,
    /// The last complete listing.
    pub listing_done: Differences<'a, (), ListingDone>,
    /// Users of the listing in progress; the number is the listing's.
    pub members: Differences<'a, Login, Member>,
    /// The tenant that deliveries are from.
    pub tenant: Differences<'a, (), TenantId>,
    /// The state of the service itself.
    pub service: Differences<'a, (), ServiceState>,
    /// The state of the OTLP delivery.
    pub otlp: Differences<'a, (), OtlpState>,
    /// Registered webhook targets.
    pub targets: Differences<'a, String, WebhookTarget>,
    /// Events in order; the last one has the number `head.event`.
    pub events: &'a [Event],
    /// Runs of events of one hour that began in this group.
    pub hours: &'a [EventHour],
    /// Commands over many rows, in order.
    pub commands: &'a [Command],
}

impl Diff<'_> {
    /// The number of the first event.
    #[must_use]
    pub fn first_event(&self) -> i64 {
        self.head.event - i64::try_from(self.events.len()).unwrap_or(0) + 1
    }
}

/// A write to rows that no change loads one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Writes although nothing differs. A probe must reach the disk: a commit without a write would
    /// succeed on a full one.
    Touch,
    /// Stores the moment at which the wall clock was last trusted.
    TrustClock {
        /// The moment.
        at: Timestamp,
    },
    /// Stores the leader's rules, in the daemon's format.
    KeepRules {
        /// The rules.
        text: String,
    },
    /// Removes these events from those to send on purpose.
    Resent(Vec<i64>),
    /// Parks these events: a collector always refuses them.
    Park {
        /// Their numbers.
        events: Vec<i64>,
        /// Why.
        reason: &'static str,
        /// When.
        at: Timestamp,
    },
    /// Unparks these events, and requests that they are sent.
    ResendParked(Vec<i64>),
    /// Makes references to a check refer to another one: its titles, and its ended failures. For
    /// those it is only stored where they go, because there can be very many.
    MergeCheck {
        /// The check that is removed.
        from: CheckNumber,
        /// The check that stays.
        into: CheckNumber,
        /// When they were merged.
        at: Timestamp,
    },
    /// Moves ended failures to the check that theirs was merged with.
    MoveEnded(NextMoving),
    /// Requests that public events with these numbers, both included, are sent.
    Resend {
        /// The first number.
        first: i64,
        /// The last number.
        last: i64,
    },
}
