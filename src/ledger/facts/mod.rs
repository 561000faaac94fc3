//! What is known to a group of changes, and what they make of it.

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

/// The rows that a group of changes asked for, and what became of them.
///
/// Public fields are tables of rows that stand for themselves; what concerns
/// several at once has a method here, so that totals cannot be forgotten.
#[derive(Debug)]
pub struct Facts {
    /// Envelopes by id.
    pub envelopes: Table<String, Envelope>,
    /// Refused deliveries by number.
    pub refused: Table<i64, RefusedRow>,
    checks: Table<CheckId, Check>,
    /// What the operator says of checks; loaded with checks and failures, under the key `()`.
    pub configured: Table<(), Arc<ConfiguredChecks>>,
    /// The ids of the checks that are known.
    ids: Table<CheckNumber, CheckId>,
    titles: Table<String, Titled>,
    failures: Table<(Login, CheckNumber), Failure>,
    /// Whose open failures are all known.
    complete: BTreeSet<Login>,
    /// Checks of which everybody who fails one is complete.
    with_everybody: BTreeSet<CheckNumber>,
    /// Whether every check is known.
    all_checks: QueryResult<()>,
    /// Whether every refused delivery is known.
    all_refused: QueryResult<()>,
    /// How far answers about users have got.
    pub answered: Table<Login, Answered>,
    /// What the last complete listing said of users.
    pub listed: Table<Login, Member>,
    /// When somebody was last listed or named as failing a check.
    pub last_reports: Table<CheckNumber, Timestamp>,
    /// What answers have in the place of checks that were there before.
    pub exchanges: QueryResult<Vec<Exchange>>,
    /// The users that come next of those whose answers have such texts.
    pub exchanging: QueryResult<NextUsers>,
    /// How many people fail a check that the filter admits that was asked for.
    pub people_admitted: QueryResult<u64>,
    /// Snapshots of users.
    pub users: Table<Login, UserSnapshot>,
    /// Snapshots of addresses.
    pub ips: Table<IpAddress, IpSnapshot>,
    watched: Table<WatchSubject, Reasons>,
    /// What users and addresses had, and have no longer.
    pub past: Table<WatchSubject, Past>,
    /// How logins are spelled, where that is not their identity.
    pub spellings: Table<Login, Arc<str>>,
    /// How asking about subjects ended.
    pub polls: Table<WatchSubject, Poll>,
    /// How jobs ended.
    pub jobs: Table<&'static str, Job>,
    /// Lists that are null for users.
    pub nulls: Table<(Login, ListField), NullList>,
    /// What the service gave for each list.
    pub list_memory: Table<ListField, FieldMemory>,
    /// The listing that is under way; the key is always `()`.
    pub listing: Table<(), ListingBegun>,
    /// The last complete one.
    pub listing_done: Table<(), ListingDone>,
    /// Users of the listing under way.
    pub members: Table<Login, Member>,
    /// The users about whom the listing's verdicts come next.
    pub slice: QueryResult<NextUsers>,
    /// Users who fail the check that was asked for.
    pub failing: QueryResult<NextFailing>,
    /// Failures that ended and are to become those of another check, where there are some.
    pub moving: QueryResult<Option<NextMoving>>,
    /// Which tenant deliveries are from.
    pub tenant: Table<(), TenantId>,
    /// The service itself.
    pub service: Table<(), ServiceState>,
    /// The delivery by OTLP.
    pub otlp: Table<(), OtlpState>,
    /// The parked events that come next.
    pub parked: QueryResult<NextParked>,
    /// The numbers that come next in the gaps; nothing after the last one.
    pub gap_events: QueryResult<Option<GapEvents>>,
    /// Registered webhook targets.
    pub targets: Table<String, WebhookTarget>,
    /// What is watched for a reason that was asked for, or was to expire.
    pub matching: QueryResult<BTreeSet<WatchSubject>>,
    effects: Effects,
    mark: Mark,
}

/// Calls a method of every table: one that is forgotten would not be undone.
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
    /// Nothing but the numbers that were given last, and how much is watched.
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

    /// What was touched, for whoever shows it; `moves` are those of the difference.
    #[must_use]
    pub fn touched(&mut self, moves: Moves) -> Touched {
        Touched {
            subjects: std::mem::take(&mut self.effects.subjects).into_iter().collect(),
            people: moves.people,
            check_sets: moves.by_set.into_keys().collect(),
            is_anew: std::mem::take(&mut self.effects.is_anew),
        }
    }

    /// The numbers that were given last.
    #[must_use]
    pub fn head(&self) -> Head {
        self.effects.head
    }

    /// Notes that something is to be shown anew.
    pub fn touch(&mut self, subject: Subject) {
        // A delivery speaks of one check thousands of times.
        if self.effects.subjects.last() != Some(&subject) {
            self.effects.subjects.push(subject);
        }
    }

    /// Notes that checks changed in a way that concerns everybody who fails them, so
    /// that whoever shows them reads everything anew.
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
            // Of a large delivery, room for a second copy would be the most of its memory.
            self.effects.events = events;
        } else {
            self.effects.events.extend(events);
        }
    }

    /// Has something done about rows that no change knows one by one.
    pub fn command(&mut self, command: Command) {
        self.effects.commands.push(command);
    }

    /// The number of the next listing. Members carry it, and those of a listing that
    /// was given up may still be there.
    pub fn next_listing(&mut self) -> i64 {
        self.effects.head.listing += 1;
        self.effects.head.listing
    }
}
