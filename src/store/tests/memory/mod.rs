//! An engine in memory: tests what a [`Change`] does to rows, without a database.

mod load;
mod slices;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        CheckId, ConfiguredChecks, Event, IpAddress, ListField, Login, Past, TenantId,
        WatchSubject, WebhookTarget, null_list::FieldMemory,
    },
    ledger::{
        Answered, Check, CheckNumber, CheckSet, Command, Counts, Diff, Differences, Envelope,
        Facts, Failure, Head, IpSnapshot, Job, Keys, ListingBegun, ListingDone, Member, NullList,
        OtlpState, Poll, Reasons, RefusedRow, ServiceState, UserSnapshot,
    },
    store::{
        StoreError,
        engine::{Engine, Erased, Erasure, Sweep},
    },
};

/// Every table, and the state at the begin of the current group.
#[derive(Debug, Default)]
pub(super) struct Memory {
    tables: Tables,
    before: Option<Tables>,
}

#[derive(Debug, Default, Clone)]
struct Tables {
    head: Head,
    counts: Counts,
    envelopes: BTreeMap<String, Envelope>,
    refused: BTreeMap<i64, RefusedRow>,
    checks: BTreeMap<CheckId, Check>,
    configured: BTreeMap<(), Arc<ConfiguredChecks>>,
    titles: BTreeMap<(String, CheckNumber), bool>,
    failures: BTreeMap<(Login, CheckNumber), Failure>,
    check_sets: BTreeMap<CheckSet, i64>,
    answered: BTreeMap<Login, Answered>,
    users: BTreeMap<Login, UserSnapshot>,
    ips: BTreeMap<IpAddress, IpSnapshot>,
    watched: BTreeMap<WatchSubject, Reasons>,
    spellings: BTreeMap<Login, Arc<str>>,
    past: BTreeMap<WatchSubject, Past>,
    polls: BTreeMap<WatchSubject, Poll>,
    jobs: BTreeMap<&'static str, Job>,
    nulls: BTreeMap<(Login, ListField), NullList>,
    list_memory: BTreeMap<ListField, FieldMemory>,
    listing: BTreeMap<(), ListingBegun>,
    listing_done: BTreeMap<(), ListingDone>,
    members: BTreeMap<(i64, Login), Member>,
    tenant: BTreeMap<(), TenantId>,
    service: BTreeMap<(), ServiceState>,
    otlp: BTreeMap<(), OtlpState>,
    targets: BTreeMap<String, WebhookTarget>,
    parked: BTreeSet<i64>,
    resend: BTreeSet<i64>,
    events: Vec<Event>,
}

impl Engine for Memory {
    fn begin(&mut self) -> Result<(Head, Counts), StoreError> {
        self.before = Some(self.tables.clone());
        Ok((self.tables.head, self.tables.counts))
    }

    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError> {
        self.tables.load(keys, facts);
        Ok(())
    }

    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError> {
        self.tables.save(diff);
        Ok(())
    }

    fn commit(&mut self, _: &crate::ledger::Touched) -> Result<(), StoreError> {
        self.before = None;
        Ok(())
    }

    fn roll_back(&mut self) {
        if let Some(before) = self.before.take() {
            self.tables = before;
        }
    }

    fn sweep(&mut self, _: &Sweep, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn erase(&mut self, _: &Erasure) -> Result<Erased, StoreError> {
        Ok(Erased::default())
    }

    fn close(&mut self) {}
}

fn apply<K: Ord + Clone, V: Clone>(table: &mut BTreeMap<K, V>, rows: &Differences<'_, K, V>) {
    for difference in rows {
        match difference.row {
            Some(row) => table.insert(difference.key.clone(), row.clone()),
            None => table.remove(difference.key),
        };
    }
}

/// Integrations and administrators as they are read: rows have no order of their own.
fn in_order(mut state: ServiceState) -> ServiceState {
    state.integrations.sort_by(|one, other| one.id.cmp(&other.id));
    let admins = state.admins.iter_mut();
    admins
        .for_each(|all| all.sort_by(|one, other| one.login.spelling().cmp(other.login.spelling())));
    state
}

impl Tables {
    fn numbered(&self) -> impl Iterator<Item = (i64, &Event)> {
        (1..).zip(&self.events)
    }

    fn save(&mut self, diff: &Diff<'_>) {
        self.head = diff.head;
        self.counts = diff.counts;
        for delivery in diff.deliveries {
            if let (Some(id), 200) = (&delivery.id, delivery.status) {
                let is_filtered = delivery.outcome == "filtered";
                let envelope = Envelope { number: delivery.number, is_filtered };
                self.envelopes.insert(id.clone(), envelope);
            }
        }
        apply(&mut self.refused, &diff.refused);
        apply(&mut self.checks, &diff.checks);
        apply(&mut self.configured, &diff.configured);
        for title in diff.titles {
            for ((_, number), is_current) in &mut self.titles {
                *is_current &= *number != title.number;
            }
            self.titles.insert((title.folded.clone(), title.number), true);
        }
        apply(&mut self.failures, &diff.failures);
        for (checks, people) in &diff.moves.by_set {
            *self.check_sets.entry(checks.clone()).or_default() += people;
        }
        self.check_sets.retain(|_, people| *people != 0);
        apply(&mut self.answered, &diff.answered);
        apply(&mut self.users, &diff.users);
        apply(&mut self.ips, &diff.ips);
        apply(&mut self.watched, &diff.watched);
        apply(&mut self.spellings, &diff.spellings);
        for entry in &diff.past {
            // An empty past is no row.
            match entry.row.filter(|past| past.iter().next().is_some()) {
                Some(row) => self.past.insert(entry.key.clone(), row.clone()),
                None => self.past.remove(entry.key),
            };
        }
        apply(&mut self.polls, &diff.polls);
        apply(&mut self.jobs, &diff.jobs);
        apply(&mut self.nulls, &diff.nulls);
        apply(&mut self.list_memory, &diff.list_memory);
        apply(&mut self.listing, &diff.listing);
        apply(&mut self.listing_done, &diff.listing_done);
        for member in &diff.members {
            let key = (diff.head.listing, member.key.clone());
            self.members.extend(member.row.map(|row| (key, row.clone())));
        }
        apply(&mut self.tenant, &diff.tenant);
        for entry in &diff.service {
            // A state without any answer has no row.
            match entry.row.filter(|state| !state.seen.is_empty()) {
                Some(row) => self.service.insert((), in_order(row.clone())),
                None => self.service.remove(&()),
            };
        }
        apply(&mut self.otlp, &diff.otlp);
        apply(&mut self.targets, &diff.targets);
        self.events.extend(diff.events.iter().cloned());
        for command in diff.commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: &Command) {
        match command {
            Command::Touch
            | Command::TrustClock { .. }
            | Command::KeepRules { .. }
            | Command::MoveEnded(_) => {}
            Command::Resent(events) => self.resend.retain(|seq| !events.contains(seq)),
            Command::Park { events, .. } => self.parked.extend(events),
            Command::ResendParked(events) => {
                let parked = events.iter().filter(|seq| self.parked.remove(seq));
                self.resend.extend(parked);
            }
            Command::MergeCheck { from, into, .. } => {
                let of_it = self.titles.keys().filter(|(_, number)| number == from);
                for (folded, number) in of_it.cloned().collect::<Vec<_>>() {
                    self.titles.remove(&(folded.clone(), number));
                    self.titles.entry((folded, *into)).or_insert(false);
                }
            }
            Command::Resend { first, last } => {
                let public = self
                    .numbered()
                    .filter(|(seq, event)| event.name.is_public() && (first..=last).contains(&seq))
                    .map(|(seq, _)| seq)
                    .collect::<Vec<_>>();
                self.resend.extend(public);
            }
        }
    }
}
