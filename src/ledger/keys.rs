//! What a group of changes needs to know.

use std::collections::BTreeSet;

use super::{CheckNumber, EventSlice, Slice};
use crate::domain::{
    CheckFilter, CheckId, IpAddress, Login, Timestamp, WatchSource, WatchSubject, fold_title,
};

/// The keys of the rows to load; those of a group are added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// Envelopes, by id.
    pub envelopes: BTreeSet<String>,
    /// Checks, by id.
    pub checks: BTreeSet<CheckId>,
    /// The checks that have or had these titles, which are [folded](fold_title); they
    /// are loaded, too.
    pub titles: BTreeSet<String>,
    /// A check, with some of the users who fail it; at most so many.
    pub failing: Option<(CheckId, usize)>,
    /// Users, with all their open failures and the checks of those.
    pub failures_of: BTreeSet<Login>,
    /// Users, with how far answers about them have got, and what the last complete
    /// listing said of them.
    pub answered: BTreeSet<Login>,
    /// Checks, with everybody who fails one, and all failures of those. They can be very many.
    pub failures_at: BTreeSet<CheckNumber>,
    /// Checks, with when somebody was last listed or named as failing one.
    pub last_reports_at: BTreeSet<CheckNumber>,
    /// How many people fail a check that this filter admits.
    pub people_admitted: Option<CheckFilter>,
    /// What is loaded as a whole, because it is small.
    pub whole: BTreeSet<WholeTable>,
    /// Snapshots of users.
    pub users: BTreeSet<Login>,
    /// Snapshots of addresses.
    pub ips: BTreeSet<IpAddress>,
    /// Why subjects are watched.
    pub watched: BTreeSet<WatchSubject>,
    /// Everything that is watched for this reason.
    pub watched_for: BTreeSet<WatchSource>,
    /// What was to be watched up to a moment before this one: the first
    /// [`EXPIRED_AT_ONCE`] entries.
    pub expired_at: Option<Timestamp>,
    /// Users, with how their logins are spelled.
    pub spellings: BTreeSet<Login>,
    /// What users and addresses had, and have no longer.
    pub past: BTreeSet<WatchSubject>,
    /// How asking about subjects ended.
    pub polls: BTreeSet<WatchSubject>,
    /// How jobs ended.
    pub jobs: BTreeSet<&'static str>,
    /// Users, with the lists that are null for them.
    pub nulls_of: BTreeSet<Login>,
    /// Users, as members of the listing under way.
    pub members: BTreeSet<Login>,
    /// The users that come next when the verdicts of a listing are applied: members of the one
    /// under way, and whoever has an open failure.
    pub slice: Option<Slice>,
    /// The users that come next of those whose answers have texts in the place of checks that
    /// they had.
    pub exchanging: Option<Slice>,
    /// The events that come next in the gaps.
    pub gap: Option<GapSlice>,
    /// The parked events that come next.
    pub parked: Option<EventSlice>,
    /// At most so many failures that ended and are to become those of another check.
    pub moving: Option<usize>,
    /// Registered webhook targets, by the service's id.
    pub targets: BTreeSet<String>,
}

/// Entries of the watch list that one change ends at most: those whom deliveries named can
/// expire together, and no delivery is to wait for them.
pub const EXPIRED_AT_ONCE: u32 = 500;

/// Something of which there is little, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WholeTable {
    /// Refused deliveries.
    Refused,
    /// Checks.
    Checks,
    /// What the service gave for every list so far.
    ListMemory,
    /// The listing of the tenant that is under way, and the last complete one.
    Listing,
    /// Which tenant deliveries are from.
    Tenant,
    /// The service itself.
    Service,
    /// The delivery by OTLP.
    Otlp,
    /// What answers have in the place of checks that were there before; with those checks, and
    /// those that the texts can mean.
    Exchanges,
}

/// Some of the numbers of the log that are in gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapSlice {
    /// Which.
    pub events: EventSlice,
    /// What was observed before this moment is passed, up to the first event that was not; none
    /// where that one was found.
    pub since: Option<Timestamp>,
}

impl Keys {
    /// Adds what a text in an answer can mean: the check with this id, or those of
    /// this title.
    pub fn add_name(&mut self, text: &str) {
        self.checks.extend(CheckId::from_answer_text(text));
        self.titles.insert(fold_title(text));
    }

    /// Adds the checks that have or had this title, or are known by its beginning alone.
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
