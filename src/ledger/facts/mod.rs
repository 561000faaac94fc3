//! The rows that are loaded for a group of changes, and the changes made to them.

mod check;
mod delivery;
mod effects;
mod failure;
mod identify;
mod people;
mod spelling;
mod watch;

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Answered, Check, CheckNumber, Command, Counts, Diff, Envelope, Failure, GapEvents, Head,
    IpSnapshot, Job, ListingBegun, ListingDone, Member, Moves, NextFailing, NextMoving, NextParked,
    NextUsers, NullList, OtlpState, Poll, QueryResult, Reasons, RefusedRow, ServiceState, Subject,
    Table, Touched, UserSnapshot,
};
use crate::domain::{
    CheckId, ConfiguredChecks, Event, IpAddress, ListField, Login, Past, TenantId, Timestamp,
    WatchSubject, WebhookTarget,
    failure::{Exchange, Titled},
    null_list::FieldMemory,
};
use effects::{Effects, Mark};
pub use failure::Report;
pub(in crate::ledger) use spelling::known_to_service_keys;

/// The rows that a group of changes loaded, and the changes made to them.
///
/// Public fields are tables whose rows stand alone. A change that concerns several tables has a
/// method here, so that totals are always updated.
#[derive(Debug)]
pub struct Facts {
    /// Envelopes by id.
    pub envelopes: Table<String, Envelope>,
    /// Refused deliveries by number.
    pub refused: Table<i64, RefusedRow>,
    checks: Table<CheckId, Check>,
    /// The operator's configuration of checks; loaded with checks and failures, under the key `()`.
    pub configured: Table<(), Arc<ConfiguredChecks>>,
    /// The ids of checks by number.
    ids: Table<CheckNumber, CheckId>,
    titles: Table<String, Titled>,
    failures: Table<(Login, CheckNumber), Failure>,
    /// Users whose open failures are all loaded.
    complete: BTreeSet<Login>,
    /// Checks whose failing users are all loaded, with all their failures.
    with_everybody: BTreeSet<CheckNumber>,
    /// Whether every check is loaded.
    all_checks: QueryResult<()>,
    /// Whether every refused delivery is loaded.
    all_refused: QueryResult<()>,
    /// The newest answers about users.
    pub answered: Table<Login, Answered>,
    /// Users' rows in the last complete listing.
    pub listed: Table<Login, Member>,
    /// When a user was last listed or named as failing a check.
    pub last_reports: Table<CheckNumber, Timestamp>,
    /// The texts that answers have in the place of checks that they listed before.
    pub exchanges: QueryResult<Vec<Exchange>>,
    /// The next users whose answers have such texts.
    pub exchanging: QueryResult<NextUsers>,
    /// The number of people who fail a check that the requested filter admits.
    pub people_admitted: QueryResult<u64>,
    /// Snapshots of users.
    pub users: Table<Login, UserSnapshot>,
    /// Snapshots of addresses.
    pub ips: Table<IpAddress, IpSnapshot>,
    watched: Table<WatchSubject, Reasons>,
    /// Attributes that users and addresses no longer have.
    pub past: Table<WatchSubject, Past>,
    /// Spellings of logins that differ from their identity.
    pub spellings: Table<Login, Arc<str>>,
    /// How polls ended.
    pub polls: Table<WatchSubject, Poll>,
    /// How jobs' runs ended.
    pub jobs: Table<&'static str, Job>,
    /// Lists that are null for users.
    pub nulls: Table<(Login, ListField), NullList>,
    /// For each list, whether and when the service gave it.
    pub list_memory: Table<ListField, FieldMemory>,
    /// The listing in progress; the key is always `()`.
    pub listing: Table<(), ListingBegun>,
    /// The last complete listing; the key is always `()`.
    pub listing_done: Table<(), ListingDone>,
    /// Users of the listing in progress.
    pub members: Table<Login, Member>,
    /// The next users to apply the listing's verdicts to.
    pub slice: QueryResult<NextUsers>,
    /// Users who fail the requested check.
    pub failing: QueryResult<NextFailing>,
    /// Ended failures to move to another check; none when no such failure is left.
    pub moving: QueryResult<Option<NextMoving>>,
    /// The tenant that deliveries are from.
    pub tenant: Table<(), TenantId>,
    /// The state of the service itself.
    pub service: Table<(), ServiceState>,
    /// The state of the OTLP delivery.
    pub otlp: Table<(), OtlpState>,
    /// The next parked events.
    pub parked: QueryResult<NextParked>,
    /// The next numbers in the gaps; none after the last one.
    pub gap_events: QueryResult<Option<GapEvents>>,
    /// Registered webhook targets.
    pub targets: Table<String, WebhookTarget>,
    /// Subjects that are watched for the requested reason, or whose entries expired.
    pub matching: QueryResult<BTreeSet<WatchSubject>>,
    effects: Effects,
    mark: Mark,
}

/// Calls a method of every table. One list serves all methods, because a table left out of
/// `roll_back` would not be undone.
macro_rules! each_table {
    ($facts:ident, $method:ident) => {
        $facts.envelopes.$method();
        $facts.refused.$method();
        $facts.checks.$method();
        $facts.configured.$method();
        $facts.ids.$method();
        $facts.titles.$method();
        $facts.failures.$method();
        $facts.answered.$method();
        $facts.listed.$method();
        $facts.users.$method();
        $facts.ips.$method();
        $facts.watched.$method();
        $facts.spellings.$method();
        $facts.past.$method();
        $facts.polls.$method();
        $facts.jobs.$method();
        $facts.nulls.$method();
        $facts.list_memory.$method();
        $facts.listing.$method();
        $facts.listing_done.$method();
        $facts.members.$method();
        $facts.tenant.$method();
        $facts.service.$method();
        $facts.otlp.$method();
        $facts.targets.$method();
    };
}

impl Facts {
    /// Facts with nothing loaded but the last numbers and the counts.
    #[must_use]
    pub fn new(head: Head, counts: Counts) -> Self {
        let effects = Effects { head, counts, ..Effects::default() };
        Self {
            envelopes: Table::new("delivery"),
            refused: Table::new("delivery"),
            checks: Table::new("check"),
            configured: Table::new("configured_check"),
            ids: Table::new("check"),
            titles: Table::new("check_title"),
            failures: Table::new("failure"),
            complete: BTreeSet::new(),
            with_everybody: BTreeSet::new(),
            all_checks: QueryResult::new("checks"),
            all_refused: QueryResult::new("delivery"),
            answered: Table::new("failure_answer"),
            listed: Table::new("listing_member"),
            last_reports: Table::new("failure"),
            exchanges: QueryResult::new("failure_answer"),
            exchanging: QueryResult::new("failure_answer"),
            people_admitted: QueryResult::new("check_set"),
            users: Table::new("user_snapshot"),
            ips: Table::new("ip_snapshot"),
            watched: Table::new("watch"),
            spellings: Table::new("login_spelling"),
            past: Table::new("past"),
            polls: Table::new("poll"),
            jobs: Table::new("job_state"),
            nulls: Table::new("list_null"),
            list_memory: Table::new("list_memory"),
            listing: Table::new("listing"),
            listing_done: Table::new("listing"),
            members: Table::new("listing_member"),
            slice: QueryResult::new("listing_member"),
            failing: QueryResult::new("failure"),
            moving: QueryResult::new("failure_closed"),
            tenant: Table::new("meta"),
            service: Table::new("service"),
            otlp: Table::new("otlp"),
            parked: QueryResult::new("parked_event"),
            gap_events: QueryResult::new("otlp_gap"),
            targets: Table::new("webhook_target"),
            matching: QueryResult::new("watch"),
            mark: effects.mark(),
            effects,
        }
    }

    /// Keeps everything done so far when the next change is undone.
    pub fn checkpoint(&mut self) {
        each_table!(self, checkpoint);
        self.mark = self.effects.mark();
    }

    /// Undoes what was done since the last checkpoint.
    pub fn roll_back(&mut self) {
        each_table!(self, roll_back);
        self.effects.undo_to(self.mark);
    }

    /// What is to be saved.
    #[must_use]
    pub fn diff(&self) -> Diff<'_> {
        Diff {
            head: self.effects.head,
            counts: self.effects.counts,
            deliveries: &self.effects.deliveries,
            repeats: &self.effects.repeats,
            refused: self.refused.differences().collect(),
            checks: self.checks.differences().collect(),
            configured: self.configured.differences().collect(),
            titles: &self.effects.titles,
            failures: self.failures.differences().collect(),
            closed: &self.effects.closed,
            moves: self.moves(),
            answered: self.answered.differences().collect(),
            users: self.users.differences().collect(),
            ips: self.ips.differences().collect(),
            watched: self.watched.differences().collect(),
            spellings: self.spellings.differences().collect(),
            past: self.past.differences().collect(),
            polls: self.polls.differences().collect(),
            jobs: self.jobs.differences().collect(),
            nulls: self.nulls.differences().collect(),
            list_memory: self.list_memory.differences().collect(),
            listing: self.listing.differences().collect(),
            listing_done: self.listing_done.differences().collect(),
            members: self.members.differences().collect(),
            tenant: self.tenant.differences().collect(),
            service: self.service.differences().collect(),
            otlp: self.otlp.differences().collect(),
            targets: self.targets.differences().collect(),
            events: &self.effects.events,
            hours: &self.effects.hours,
            commands: &self.effects.commands,
        }
    }

    /// What the group touched, for the readers that show it; `moves` are those of the diff.
    #[must_use]
    pub fn touched(&mut self, moves: Moves) -> Touched {
        Touched {
            subjects: std::mem::take(&mut self.effects.subjects).into_iter().collect(),
            people: moves.people,
            check_sets: moves.by_set.into_keys().collect(),
            is_anew: std::mem::take(&mut self.effects.is_anew),
        }
    }

    /// The last number of each kind.
    #[must_use]
    pub fn head(&self) -> Head {
        self.effects.head
    }

    /// Records that a subject must be read again.
    pub fn touch(&mut self, subject: Subject) {
        // A delivery touches the same check thousands of times in a row.
        if self.effects.subjects.last() != Some(&subject) {
            self.effects.subjects.push(subject);
        }
    }

    /// Records that checks changed in a way that concerns every user who fails them, so that
    /// readers read everything again.
    pub(super) fn touch_everything(&mut self) {
        self.effects.is_anew = true;
    }

    /// Appends an event to the log.
    pub fn append(&mut self, event: Event) {
        self.effects.count(&event);
        self.effects.events.push(event);
    }

    /// Appends events to the log, in their order.
    pub fn append_all(&mut self, events: Vec<Event>) {
        for event in &events {
            self.effects.count(event);
        }
        if self.effects.events.is_empty() {
            // Taking over the vector avoids a second copy, which would be most of a large
            // delivery's memory.
            self.effects.events = events;
        } else {
            self.effects.events.extend(events);
        }
    }

    /// Adds a write to rows that no change loads one by one.
    pub fn command(&mut self, command: Command) {
        self.effects.commands.push(command);
    }

    /// Takes the number of the next listing. Members carry it, so that those of an abandoned
    /// listing can be told apart.
    pub fn next_listing(&mut self) -> i64 {
        self.effects.head.listing += 1;
        self.effects.head.listing
    }
}
