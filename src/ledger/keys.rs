//! The rows that a group of changes needs.

use std::collections::BTreeSet;

use super::{CheckNumber, EventSlice, Slice};
use crate::domain::{
    CheckFilter, CheckId, IpAddress, Login, Timestamp, WatchSource, WatchSubject, fold_title,
};

/// The keys of the rows to load; a group loads those of all its changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Envelopes, by id.
    pub envelopes: BTreeSet<String>,
    /// Checks, by id.
    pub checks: BTreeSet<CheckId>,
    /// The checks that have or had these titles, which are [folded](fold_title); they
    /// are loaded, too.
    pub titles: BTreeSet<String>,
    /// A check with users who fail it, and the maximum number of them.
    pub failing: Option<(CheckId, usize)>,
    /// Users, with all their open failures and the checks of those.
    pub failures_of: BTreeSet<Login>,
    /// Users, for their newest answers and their rows in the last complete listing.
    pub answered: BTreeSet<Login>,
    /// Checks, for all users who fail one, with all failures of those users. There can be very
    /// many.
    pub failures_at: BTreeSet<CheckNumber>,
    /// Checks, for the last report that a user fails one.
    pub last_reports_at: BTreeSet<CheckNumber>,
    /// A filter, for the number of people who fail a check that it admits.
    pub people_admitted: Option<CheckFilter>,
    /// Tables that are loaded as a whole, because they are small.
    pub whole: BTreeSet<WholeTable>,
    /// Snapshots of users.
    pub users: BTreeSet<Login>,
    /// Snapshots of addresses.
    pub ips: BTreeSet<IpAddress>,
    /// Subjects, for the reasons why they are watched.
    pub watched: BTreeSet<WatchSubject>,
    /// Reasons, for all subjects that are watched for one.
    pub watched_for: BTreeSet<WatchSource>,
    /// A moment, for the first [`EXPIRED_AT_ONCE`] entries of the watch list that expired before
    /// it.
    pub expired_at: Option<Timestamp>,
    /// Users, for the spellings of their logins.
    pub spellings: BTreeSet<Login>,
    /// Subjects, for the attributes that they no longer have.
    pub past: BTreeSet<WatchSubject>,
    /// Subjects, for how their polls ended.
    pub polls: BTreeSet<WatchSubject>,
    /// Jobs, for how their runs ended.
    pub jobs: BTreeSet<&'static str>,
    /// Users, for their null lists.
    pub nulls_of: BTreeSet<Login>,
    /// Users, for their rows in the listing in progress.
    pub members: BTreeSet<Login>,
    /// The next users to apply a listing's verdicts to: members of the listing in progress, and
    /// users with an open failure.
    pub slice: Option<Slice>,
    /// The next users whose answers have texts in the place of checks that they listed before.
    pub exchanging: Option<Slice>,
    /// The next events in the gaps.
    pub gap: Option<GapSlice>,
    /// The next parked events.
    pub parked: Option<EventSlice>,
    /// The maximum number of ended failures to move to another check.
    pub moving: Option<usize>,
    /// Registered webhook targets, by the service's id.
    pub targets: BTreeSet<String>,
}

/// The maximum number of watch entries that one change ends. Users whom deliveries named can expire
/// together, and no delivery may wait for all of them.
pub const EXPIRED_AT_ONCE: u32 = 500;

/// A table with few rows, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WholeTable {
    /// Refused deliveries.
    Refused,
    /// Checks.
    Checks,
    /// For each list, whether and when the service gave it.
    ListMemory,
    /// The listing of the tenant in progress, and the last complete one.
    Listing,
    /// The tenant that deliveries are from.
    Tenant,
    /// The state of the service itself.
    Service,
    /// The state of the OTLP delivery.
    Otlp,
    /// The texts that answers have in the place of checks that were listed before, with those
    /// checks and the checks that the texts can mean.
    Exchanges,
}

/// A range of numbers of the log that are in gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapSlice {
    /// The range.
    pub events: EventSlice,
    /// Skips events that were observed before this moment, up to the first later one; none when
    /// that one was found.
    pub since: Option<Timestamp>,
}

impl Keys {
    /// Adds the checks that a text in an answer can mean: the one with this id, and those with this
    /// title.
    pub fn add_name(&mut self, text: &str) {
        self.checks.extend(CheckId::from_answer_text(text));
        self.titles.insert(fold_title(text));
    }

    /// Adds the checks that have or had this title, and the check that is known by the start of it.
    pub fn add_title(&mut self, title: &str) {
        self.checks.extend(CheckId::from_long_text(title));
        self.titles.insert(fold_title(title));
    }

    /// Whether there is nothing to load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
