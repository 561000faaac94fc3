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

/// The number by which rows refer to a check; its id and its titles are names of
/// it.
pub type CheckNumber = i64;

/// Checks that somebody fails, in the order of their numbers.
pub type CheckSet = Vec<CheckNumber>;

/// The numbers that were given last. They only rise, also when rows go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// Of the newest event.
    pub event: i64,
    /// Of public events: how many there were up to the newest event.
    pub public_events: i64,
    /// Of the newest event: the hour in which it was observed, counted since 1970.
    pub event_hour: i64,
    /// Of the newest delivery.
    pub delivery: i64,
    /// Of the newest check.
    pub check: CheckNumber,
    /// Of the newest listing of the tenant.
    pub listing: i64,
}

/// A run of events that were observed in one hour; the next run ends it. Runs stand for an index
/// over the moments of events, which would cost an entry for each.
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

/// A delivery that was taken, found by its envelope's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Our own number of it.
    pub number: i64,
    /// Whether the operator's filter kept its check out.
    pub is_filtered: bool,
}

/// A delivery to keep, taken or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Our own number of it.
    pub number: i64,
    /// Whether it takes the place of one that was filtered out.
    pub is_again: bool,
    /// The envelope's id; none when it was refused.
    pub id: Option<String>,
    /// `detail.id`.
    pub detail_id: Option<String>,
    /// When it came.
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
    /// What became of it.
    pub outcome: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// Why it was refused, or opened nothing.
    pub reason: Option<String>,
    /// Users that it names.
    pub users: usize,
    /// Users whose failure it opened.
    pub new_users: usize,
    /// Who was known to fail already.
    pub known_users: BTreeSet<Login>,
    /// Whom a newer answer cleared.
    pub cleared_users: BTreeSet<Login>,
    /// Logins that cannot be used.
    pub skipped_logins: usize,
    /// How unusual forms in it were read.
    pub notes: Vec<String>,
    /// Bytes of the body, unpacked where that succeeded.
    pub size: Option<usize>,
    /// Whether the body is gzip that could not be unpacked.
    pub is_packed: bool,
    /// The body, or its begin.
    pub body: Option<Body>,
}

/// A delivery that came again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The number of the first one.
    pub number: i64,
    /// When it came again.
    pub at: Timestamp,
}

/// A refused delivery, as far as it decides what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedRow {
    /// Whether its body, or the begin of it, is kept.
    pub has_body: bool,
    /// The number of the delivery that its replay became.
    pub replayed_as: Option<i64>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its number.
    pub number: CheckNumber,
    /// Its newest words.
    pub definition: Arc<CheckDefinition>,
    /// The number of these words among those that it had.
    pub version: i64,
    /// When something of it was last learnt.
    pub last_event_at: Timestamp,
    /// Failures that are open.
    pub open: u64,
    /// Whether only answers told of it, by a text that nothing has explained yet.
    pub is_provisional: bool,
    /// Whether the operator's filter keeps it out: its failures are kept in silence.
    pub is_hidden: bool,
    /// What was counted of it.
    pub totals: Totals,
    /// How long failures lasted whose beginning is known and that ended because the user
    /// fails no longer.
    pub durations: Durations,
    /// How many failed it lately.
    pub trend: Trend,
    /// When a failure of it was last announced, by the time of its commit.
    pub last_failure_at: Option<Timestamp>,
}

impl Check {
    /// The check as decisions know it.
    #[must_use]
    pub fn name(&self, id: &CheckId) -> CheckName {
        CheckName {
            id: id.clone(),
            definition: self.definition.clone(),
            is_provisional: self.is_provisional,
        }
    }
}

/// What was counted of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Failures that opened and were announced.
    pub failures: u64,
    /// Failures that ended.
    pub resolutions: u64,
}

/// A check got a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleChange {
    /// The check.
    pub number: CheckNumber,
    /// The title, as titles are compared.
    pub folded: String,
    /// Since when.
    pub since: Timestamp,
}

/// A failure that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When it began, as far as is known.
    pub opened_at: Timestamp,
    /// When the service last said so.
    pub reported_at: Timestamp,
    /// When the newest delivery that names the user was published; none when only
    /// answers told of it.
    pub named_at: Option<Timestamp>,
    /// Whether it was told as new: not what was there before anybody looked.
    pub is_announced: bool,
    /// Whether a delivery told when it began; else it was first seen then, and began before.
    pub is_dated: bool,
    /// Whether the last answer that listed it did so by the check's title.
    pub by_title: bool,
}

/// How a failure ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When the answer was asked for that says so.
    pub asked_at: Timestamp,
    /// When it came.
    pub at: Timestamp,
    /// Why, in the word of `cii.check.resolution`.
    pub reason: &'static str,
}

/// A failure that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Of which check.
    pub check: CheckNumber,
    /// Whose.
    pub login: Login,
    /// What it was.
    pub failure: Failure,
    /// When it ended.
    pub closed_at: Timestamp,
    /// Why, in the word of `cii.check.resolution`.
    pub reason: &'static str,
}

/// How far the answers about a user's failing checks have got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When the newest one had been asked for.
    pub as_of: Timestamp,
    /// When the newest one that lists failing checks had been asked for.
    pub listed_at: Option<Timestamp>,
    /// Since when the service does not know the user.
    pub unknown_since: Option<Timestamp>,
    /// Since when it says so in runs that are suspect.
    pub suspect_since: Option<Timestamp>,
    /// Texts of the newest list that could be one of several checks.
    pub shared_texts: BTreeSet<String>,
    /// What it has in the place of checks that are absent from it.
    pub exchange: Option<Exchange>,
}

/// The snapshot of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSnapshot {
    /// What is known of the user.
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
    /// Until when; for ever when there is none.
    pub expires_at: Option<Timestamp>,
    /// Why, in an operator's words.
    pub note: Option<String>,
}

/// Every reason to watch a subject.
pub type Reasons = SmallMap<WatchSource, Reason>;

/// What is counted over the whole store, so that nobody has to count it.
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
    /// New addresses of all users of whom snapshots are taken, ever.
    pub new_ips: u64,
    /// New countries, likewise.
    pub new_countries: u64,
}

impl Counts {
    /// Users that are listed or followed.
    #[must_use]
    pub const fn watched_users(&self) -> u64 {
        self.users.saturating_add(self.followed)
    }
}

/// How asking about a subject ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// How, and why.
    pub end: PollEnd,
    /// Since when it ends so.
    pub since: Timestamp,
    /// When it last ended.
    pub last_at: Timestamp,
    /// When it last ended with an answer.
    pub answered_at: Option<Timestamp>,
}

/// How the last run of a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// How, and why.
    pub end: RunEnd,
    /// Since when its runs end so.
    pub since: Timestamp,
    /// When the last one began.
    pub last_begun_at: Timestamp,
    /// When the last one that succeeded ended.
    pub last_success_at: Option<Timestamp>,
    /// How those of the last day ended.
    pub hours: RunHours,
}

/// A list that is null for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullList {
    /// Since the first null without a list in between.
    pub since: Timestamp,
    /// When it was last null.
    pub last_at: Timestamp,
    /// What it was last judged to mean.
    pub meaning: NullMeaning,
}

/// A listing of the tenant that is under way.
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
    /// Users so far of whom the failing checks were told.
    pub told: u64,
    /// Rows so far that could not be read.
    pub skipped: u64,
    /// What was counted so far.
    pub figures: TenantFigures,
    /// When its last page came.
    pub ended_at: Option<Timestamp>,
    /// Up to which stored login its verdicts were applied.
    pub position: Option<String>,
}

/// The last listing that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingDone {
    /// Its number; its members carry it.
    pub number: i64,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub completed_at: Timestamp,
    /// Whether it told failing checks, and not mostly unreadable rows.
    pub is_verdict: bool,
    /// Whether it lacked so many users that absence from it says nothing.
    pub is_suspect: bool,
    /// Its users.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// What was counted.
    pub figures: TenantFigures,
}

/// A user of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The checks the user fails, as ids or titles; none when not told.
    pub failing: Option<BTreeSet<String>>,
    /// Whether they are null without an error.
    pub is_null: bool,
    /// When the page was asked for.
    pub asked_at: Timestamp,
}

/// The service itself, as it was last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its administrators; none before anybody looked.
    pub admins: Option<Vec<Admin>>,
    /// When each part was last seen.
    pub seen: BTreeMap<&'static str, ServiceSeen>,
}

/// When a part of the service was seen, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceSeen {
    /// When.
    pub at: Timestamp,
    /// Of the daily counts: the newest day's.
    pub number: Option<u64>,
}

/// Events that no delivery by OTLP was there to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The number of its first event.
    pub first: i64,
    /// The number of its last event.
    pub last: i64,
}

/// Some numbers of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapEvents {
    /// The number of the first event that is wanted; nothing where none of them is.
    pub first: Option<i64>,
    /// The last of the numbers.
    pub last: i64,
    /// How many events from the first on go out to receivers.
    pub public: u64,
}

/// How the delivery by OTLP stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtlpState {
    /// Everything up to here is delivered, parked or left out.
    pub cursor: i64,
    /// How many public events there were up to the cursor; counted when loaded, and
    /// not saved.
    pub public_up_to_cursor: i64,
    /// Whether the daemon had a delivery when it last started.
    pub was_on: Option<bool>,
    /// What was left out.
    pub gaps: BTreeSet<Gap>,
}
