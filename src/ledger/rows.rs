//! The rows that changes read and write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Body;
use crate::domain::{
    Admin, CheckDefinition, CheckId, Integration, IpUsers, Login, PollEnd, RunEnd, SmallMap,
    TenantFigures, Timestamp, UserState, WatchSource,
    failure::{CheckName, Durations, Exchange, Trend},
    null_list::NullMeaning,
    run::RunHours,
    sensible,
};

/// The number by which rows refer to a check; its id and its titles can change.
pub type CheckNumber = i64;

/// The checks that a person fails, in the order of their numbers.
pub type CheckSet = Vec<CheckNumber>;

/// The last number of each kind. Numbers only rise, even when rows are removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Of the newest event.
    pub event: i64,
    /// The number of public events up to the newest event.
    pub public_events: i64,
    /// The hour in which the newest event was observed, counted since 1970.
    pub event_hour: i64,
    /// Of the newest delivery.
    pub delivery: i64,
    /// Of the newest check.
    pub check: CheckNumber,
    /// Of the newest listing of the tenant.
    pub listing: i64,
}

/// A run of events that were observed in one hour; the next run ends it. Runs replace an index over
/// the moments of events, which would cost an entry for each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHour {
    /// The number of its first event.
    pub first: i64,
    /// The hour, counted since 1970.
    pub hour: i64,
}

impl EventHour {
    /// The hour of a moment.
    #[must_use]
    pub fn hour_at(at: Timestamp) -> i64 {
        sensible(at).timestamp().div_euclid(3600)
    }
}

/// A delivery that was accepted or filtered out, by the id of its envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// The delivery's number.
    pub number: i64,
    /// Whether the operator's filter rejected its check.
    pub is_filtered: bool,
}

/// A delivery to store, accepted or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The delivery's number.
    pub number: i64,
    /// Whether it replaces a delivery that was filtered out.
    pub is_again: bool,
    /// The envelope's id; none when the delivery was refused.
    pub id: Option<String>,
    /// `detail.id`.
    pub detail_id: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// The envelope's `time`.
    pub sent_at: Option<Timestamp>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// The envelope's `detail-type`.
    pub detail_type: Option<String>,
    /// The envelope's `source`.
    pub source: Option<String>,
    /// The envelope's `account`.
    pub account: Option<String>,
    /// The envelope's `region`.
    pub region: Option<String>,
    /// The id of its check.
    pub check_id: Option<String>,
    /// The check's title as sent.
    pub title: Option<String>,
    /// The check's severity as sent.
    pub severity: Option<String>,
    /// The delivery's outcome, as the label `result` has it.
    pub outcome: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// Why it was refused, or opened no failure.
    pub reason: Option<String>,
    /// The number of users that it names.
    pub users: usize,
    /// The number of users whose failure it opened.
    pub new_users: usize,
    /// Named users who failed the check before.
    pub known_users: BTreeSet<Login>,
    /// Named users whom a more recent API answer cleared; the delivery is stale for them.
    pub cleared_users: BTreeSet<Login>,
    /// Logins that cannot be used.
    pub skipped_logins: usize,
    /// Notes about unusual values and how they were read.
    pub notes: Vec<String>,
    /// Bytes of the body, uncompressed where that succeeded.
    pub size: Option<usize>,
    /// Whether the body is gzip that could not be decompressed.
    pub is_packed: bool,
    /// The body, or the start of it.
    pub body: Option<Body>,
}

/// A delivery that was received again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The number of the first one.
    pub number: i64,
    /// When it was received again.
    pub at: Timestamp,
}

/// A refused delivery, with the columns that decide how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRow {
    /// Whether its body, or the start of it, is stored.
    pub has_body: bool,
    /// The number of the delivery that replayed it.
    pub replayed_as: Option<i64>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its number.
    pub number: CheckNumber,
    /// Its newest definition.
    pub definition: Arc<CheckDefinition>,
    /// The version of the definition.
    pub version: i64,
    /// When its definition or its failures last changed.
    pub last_event_at: Timestamp,
    /// The number of open failures.
    pub open: u64,
    /// Whether it is known only by a text of answers, so that its id is a guess.
    pub is_provisional: bool,
    /// Whether the operator's filter hides it: its failures are stored without events.
    pub is_hidden: bool,
    /// Its totals.
    pub totals: Totals,
    /// Durations of failures whose beginning is known and that ended because the user no longer
    /// fails the check.
    pub durations: Durations,
    /// How many users failed it lately.
    pub trend: Trend,
    /// When a failure was last announced, by the moment of the commit.
    pub last_failure_at: Option<Timestamp>,
}

impl Check {
    /// The check as decisions need it.
    #[must_use]
    pub fn name(&self, id: &CheckId) -> CheckName {
        CheckName {
            id: id.clone(),
            definition: self.definition.clone(),
            is_provisional: self.is_provisional,
        }
    }
}

/// The totals of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Failures that were opened and announced.
    pub failures: u64,
    /// Failures that ended.
    pub resolutions: u64,
}

/// A check got a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleChange {
    /// The check.
    pub number: CheckNumber,
    /// The folded title, which is what is compared.
    pub folded: String,
    /// When it got the title.
    pub since: Timestamp,
}

/// A failure that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When it began, as far as is known.
    pub opened_at: Timestamp,
    /// When the service last reported it.
    pub reported_at: Timestamp,
    /// When the newest delivery that names the user was published; none when only answers reported
    /// the failure.
    pub named_at: Option<Timestamp>,
    /// Whether it was announced as new. Failures that the first look found are not.
    pub is_announced: bool,
    /// Whether a delivery dated its beginning; otherwise the failure is older than `opened_at`.
    pub is_dated: bool,
    /// Whether the last answer listed it by the check's title.
    pub by_title: bool,
}

/// How a failure ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When the answer that ends it was requested.
    pub asked_at: Timestamp,
    /// When that answer came.
    pub at: Timestamp,
    /// Why, as `cii.check.resolution` has it.
    pub reason: &'static str,
}

/// A failure that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The check's number.
    pub check: CheckNumber,
    /// The user's login.
    pub login: Login,
    /// The failure when it was open.
    pub failure: Failure,
    /// When it ended.
    pub closed_at: Timestamp,
    /// Why, as `cii.check.resolution` has it.
    pub reason: &'static str,
}

/// The newest answers about a user's failing checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When the newest answer was requested.
    pub as_of: Timestamp,
    /// When the newest answer that lists failing checks was requested.
    pub listed_at: Option<Timestamp>,
    /// Since when the service does not know the user.
    pub unknown_since: Option<Timestamp>,
    /// Since when suspect runs report the user as unknown.
    pub suspect_since: Option<Timestamp>,
    /// Texts of the newest list that could mean one of several checks.
    pub shared_texts: BTreeSet<String>,
    /// The texts that the list has in the place of checks that it had before.
    pub exchange: Option<Exchange>,
}

/// The snapshot of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSnapshot {
    /// The user's state.
    pub state: Arc<UserState>,
    /// When the service first answered.
    pub first_observed_at: Timestamp,
    /// When it last answered.
    pub observed_at: Timestamp,
    /// New addresses since the first snapshot.
    pub new_ips: u64,
    /// When the last new address was found.
    pub last_new_ip_at: Option<Timestamp>,
    /// When the last address in a new country was found.
    pub last_new_country_at: Option<Timestamp>,
}

/// The snapshot of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpSnapshot {
    /// Who uses it.
    pub users: Arc<IpUsers>,
    /// When the service first answered.
    pub first_observed_at: Timestamp,
    /// When it last answered.
    pub observed_at: Timestamp,
    /// New users since the first snapshot.
    pub new_users: u64,
    /// When the last new user was found.
    pub last_new_user_at: Option<Timestamp>,
}

/// Why something is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Since when.
    pub added_at: Timestamp,
    /// When the reason expires; none when it never does.
    pub expires_at: Option<Timestamp>,
    /// The operator's note.
    pub note: Option<String>,
}

/// Every reason to watch a subject.
pub type Reasons = SmallMap<WatchSource, Reason>;

/// Counts over the whole store, updated with each commit so that no reader has to count rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users that are listed.
    pub users: u64,
    /// Users that are followed, and not listed.
    pub followed: u64,
    /// Addresses that are watched.
    pub ips: u64,
    /// People who have an open failure.
    pub failing_people: u64,
    /// New addresses of all users with snapshots, since the start of the database.
    pub new_ips: u64,
    /// New countries of all users with snapshots, since the start of the database.
    pub new_countries: u64,
}

impl Counts {
    /// Users that are listed or followed.
    #[must_use]
    pub const fn watched_users(&self) -> u64 {
        self.users.saturating_add(self.followed)
    }
}

/// How the poll of a subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// How, and why.
    pub end: PollEnd,
    /// Since when polls end with this outcome.
    pub since: Timestamp,
    /// When the last poll ended.
    pub last_at: Timestamp,
    /// When the last poll with an answer ended.
    pub answered_at: Option<Timestamp>,
}

/// How the last run of a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// How, and why.
    pub end: RunEnd,
    /// Since when runs end with this outcome.
    pub since: Timestamp,
    /// When the last run began.
    pub last_begun_at: Timestamp,
    /// When the last successful run ended.
    pub last_success_at: Option<Timestamp>,
    /// How the runs of the last day ended, by hour.
    pub hours: RunHours,
}

/// A list that is null for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullList {
    /// When the first null without a list in between came.
    pub since: Timestamp,
    /// When it was last null.
    pub last_at: Timestamp,
    /// What the null was last judged to mean.
    pub meaning: NullMeaning,
}

/// A listing of the tenant that is in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingBegun {
    /// Its number; its members carry it.
    pub number: i64,
    /// When it began.
    pub begun_at: Timestamp,
    /// The next page's token; none once the last page is in.
    pub page_token: Option<String>,
    /// Pages so far.
    pub pages: u64,
    /// Users so far.
    pub users: u64,
    /// Users so far with a list of failing checks.
    pub told: u64,
    /// Rows so far that could not be read.
    pub skipped: u64,
    /// The tenant's figures so far.
    pub figures: TenantFigures,
    /// When the last page came.
    pub ended_at: Option<Timestamp>,
    /// The last stored login to which verdicts were applied.
    pub position: Option<String>,
}

/// The last complete listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingDone {
    /// Its number; its members carry it.
    pub number: i64,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub completed_at: Timestamp,
    /// Whether its failing checks count: it has some, and most rows could be read.
    pub is_verdict: bool,
    /// Whether so many known users are absent that absence proves nothing.
    pub is_suspect: bool,
    /// Users that were listed.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// What was counted.
    pub figures: TenantFigures,
}

/// A user of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The checks that the user fails, as ids or titles; none when the answer has no list.
    pub failing: Option<BTreeSet<String>>,
    /// Whether the list is null without an error.
    pub is_null: bool,
    /// When the page was requested.
    pub asked_at: Timestamp,
}

/// The state of the service itself, as it was last answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its administrators; none before the first answer.
    pub admins: Option<Vec<Admin>>,
    /// When each part was last answered.
    pub seen: BTreeMap<&'static str, ServiceSeen>,
}

/// The last answer about a part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceSeen {
    /// When.
    pub at: Timestamp,
    /// Of the daily counts: the newest day's.
    pub number: Option<u64>,
}

/// Events that were committed while the daemon had no OTLP delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The number of its first event.
    pub first: i64,
    /// The number of its last event.
    pub last: i64,
}

/// A range of numbers in a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapEvents {
    /// The number of the first event to send; none when no event of the range is.
    pub first: Option<i64>,
    /// The last of the numbers.
    pub last: i64,
    /// How many events from the first on are public.
    pub public: u64,
}

/// The state of the OTLP delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtlpState {
    /// Everything up to here is delivered, parked or left out.
    pub cursor: i64,
    /// The number of public events up to the cursor; counted when loaded, and not saved.
    pub public_up_to_cursor: i64,
    /// Whether the daemon had an OTLP delivery when it last started.
    pub was_on: Option<bool>,
    /// The events that were left out.
    pub gaps: BTreeSet<Gap>,
}
