//! Rows in memory: what a [`Change`] makes of them, without a database.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use strum::VariantArray as _;

use crate::{
    domain::{
        CheckId, ConfiguredChecks, Event, IpAddress, ListField, Login, Past, TenantId, WatchSource,
        WatchSubject, WebhookTarget, failure::Titled, fold_title, null_list::FieldMemory,
    },
    ledger::{
        Answered, Check, CheckNumber, CheckSet, Command, Counts, Diff, Differences, Envelope,
        Facts, Failure, Gap, GapEvents, Head, IpSnapshot, Job, Keys, ListingBegun, ListingDone,
        Member, NullList, OtlpState, Poll, Reasons, RefusedRow, ServiceState, UserSnapshot, Whole,
    },
    store::{
        StoreError,
        engine::{Engine, Erased, Erasure, Sweep},
    },
};

/// Every table, and what a group that is under way began with.
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

impl Tables {
    fn load(&self, keys: &Keys, facts: &mut Facts) {
        for id in &keys.envelopes {
            facts.envelopes.load(id.clone(), self.envelopes.get(id).copied());
        }
        if keys.whole.contains(&Whole::Refused) {
            for (number, row) in &self.refused {
                facts.refused.load(*number, Some(*row));
            }
        }
        facts.configured.load((), Some(self.configured.get(&()).cloned().unwrap_or_default()));
        if keys.whole.contains(&Whole::Checks) {
            for (id, check) in &self.checks {
                facts.load_check(id.clone(), Some(check.clone()));
            }
        }
        if let Some((id, limit)) = &keys.failing {
            let number = self.checks.get(id).map(|check| check.number);
            let mut failing: Vec<_> = self
                .failures
                .iter()
                .filter(|((_, check), _)| Some(*check) == number)
                .map(|((login, _), failure)| (failure.opened_at, login.clone()))
                .collect();
            failing.sort();
            facts.failing = failing.into_iter().take(*limit).map(|(_, login)| login).collect();
        }
        for id in &keys.checks {
            facts.load_check(id.clone(), self.checks.get(id).cloned());
        }
        for folded in &keys.titles {
            self.load_title(folded, facts);
        }
        for login in &keys.failures_of {
            self.load_failures(login, facts);
        }
        self.load_of_checks(keys, facts);
        if keys.whole.contains(&Whole::Listing) {
            facts.listing.load((), self.listing.get(&()).cloned());
            facts.listing_done.load((), self.listing_done.get(&()).cloned());
        }
        for login in &keys.answered {
            facts.answered.load(login.clone(), self.answered.get(login).cloned());
            let done = self.listing_done.get(&());
            let member = done.and_then(|done| self.members.get(&(done.number, login.clone())));
            facts.listed.load(login.clone(), member.cloned());
        }
        if let Some(slice) = &keys.slice {
            let mut next = BTreeSet::new();
            if let Some(listing) = self.listing.get(&()) {
                let members = self.members.iter().filter(|((number, _), member)| {
                    let may_fail = member.failing.as_ref().is_some_and(|names| !names.is_empty());
                    *number == listing.number && (member.is_null || may_fail)
                });
                next.extend(members.map(|((_, login), _)| login.clone()));
                next.extend(self.failures.keys().map(|(login, _)| login.clone()));
            }
            let comes_next = |login: &Login| slice.after.as_ref().is_none_or(|after| login > after);
            facts.slice = next.into_iter().filter(comes_next).take(slice.limit).collect();
            for login in facts.slice.clone() {
                self.load_member(&login, facts);
            }
        }
        for login in &keys.members {
            self.load_member(login, facts);
        }
        self.load_subjects(keys, facts);
        self.load_rest(keys, facts);
    }

    fn load_title(&self, folded: &str, facts: &mut Facts) {
        let mut titled = Titled::default();
        for ((_, number), is_current) in self.titles.iter().filter(|((of, _), _)| of == folded) {
            let check = self.checks.iter().find(|(_, check)| check.number == *number);
            let Some((id, check)) = check else { continue };
            facts.load_check(id.clone(), Some(check.clone()));
            let ids = if *is_current { &mut titled.current } else { &mut titled.former };
            ids.insert(id.clone());
        }
        facts.load_title(folded.to_owned(), titled);
    }

    fn load_failures(&self, login: &Login, facts: &mut Facts) {
        for ((_, number), failure) in self.failures.iter().filter(|((of, _), _)| of == login) {
            facts.load_failure(login.clone(), *number, Some(failure.clone()));
            let check = self.checks.iter().find(|(_, check)| check.number == *number);
            if let Some((id, check)) = check {
                facts.load_check(id.clone(), Some(check.clone()));
            }
        }
        facts.load_complete(login.clone());
    }

    fn load_of_checks(&self, keys: &Keys, facts: &mut Facts) {
        for (login, _) in self.failures.keys().filter(|(_, at)| keys.failures_at.contains(at)) {
            self.load_failures(login, facts);
        }
        for ((_, number), failure) in &self.failures {
            if keys.last_reports_at.contains(number) {
                let last = facts.last_reports.entry(*number).or_insert(failure.reported_at);
                *last = failure.reported_at.max(*last);
            }
        }
        if keys.whole.contains(&Whole::Checks) {
            for (id, check) in &self.checks {
                facts.load_check(id.clone(), Some(check.clone()));
            }
        }
        if let Some(filter) = &keys.people_admitted {
            let admitted = |check: &CheckNumber| {
                let id = self.checks.iter().find(|(_, known)| known.number == *check);
                id.is_some_and(|(id, _)| filter.admits_check(id))
            };
            let people = self.failures.keys().filter(|(_, check)| admitted(check));
            let people: BTreeSet<_> = people.map(|(login, _)| login).collect();
            facts.people_admitted = people.len() as u64;
        }
        if keys.whole.contains(&Whole::Exchanges) {
            for (login, answered) in &self.answered {
                let Some(exchange) = &answered.exchange else { continue };
                facts.answered.load(login.clone(), Some(answered.clone()));
                facts.exchanging.insert(login.clone());
                for text in &exchange.texts {
                    let id = CheckId::listed(text).unwrap();
                    facts.load_check(id.clone(), self.checks.get(&id).cloned());
                    self.load_title(&fold_title(text), facts);
                }
            }
        }
    }

    fn load_subjects(&self, keys: &Keys, facts: &mut Facts) {
        for login in &keys.users {
            facts.users.load(login.clone(), self.users.get(login).cloned());
        }
        for ip in &keys.ips {
            facts.ips.load(*ip, self.ips.get(ip).cloned());
        }
        for subject in &keys.watched {
            facts.load_watched(subject.clone(), self.watched.get(subject).cloned());
        }
        for subject in &keys.past {
            facts.past.load(subject.clone(), self.past.get(subject).cloned());
        }
        for login in &keys.spellings {
            facts.spellings.load(login.clone(), self.spellings.get(login).cloned());
        }
        self.seek(keys, facts);
        for subject in &keys.polls {
            facts.polls.load(subject.clone(), self.polls.get(subject).cloned());
        }
    }

    fn load_rest(&self, keys: &Keys, facts: &mut Facts) {
        for job in &keys.jobs {
            facts.jobs.load(job, self.jobs.get(job).cloned());
        }
        for login in &keys.nulls_of {
            for &field in ListField::VARIANTS {
                let key = (login.clone(), field);
                facts.nulls.load(key.clone(), self.nulls.get(&key).copied());
            }
        }
        if keys.whole.contains(&Whole::ListMemory) {
            for &field in ListField::VARIANTS {
                facts.list_memory.load(field, self.list_memory.get(&field).copied());
            }
        }
        if keys.whole.contains(&Whole::Tenant) {
            facts.tenant.load((), self.tenant.get(&()).copied());
        }
        if keys.whole.contains(&Whole::Service) {
            facts.service.load((), self.service.get(&()).cloned());
        }
        for id in &keys.targets {
            facts.targets.load(id.clone(), self.targets.get(id).cloned());
        }
        if keys.whole.contains(&Whole::Otlp) {
            self.load_otlp(facts);
        }
        if keys.whole.contains(&Whole::Parked) {
            facts.parked = self.parked.len() as u64;
        }
        if let Some(since) = keys.gap_since {
            self.load_gap_events(since, facts);
        }
    }

    fn load_member(&self, login: &Login, facts: &mut Facts) {
        let listing = self.listing.get(&());
        let key = listing.map(|listing| (listing.number, login.clone()));
        facts.members.load(login.clone(), key.and_then(|key| self.members.get(&key)).cloned());
    }

    fn seek(&self, keys: &Keys, facts: &mut Facts) {
        let is_wanted = |source: &WatchSource| keys.watched_for.contains(source);
        for (subject, reasons) in &self.watched {
            let is_wanted_now = reasons.iter().any(|(source, reason)| {
                let expires = reason.expires_at.zip(keys.expired_at);
                is_wanted(source) || expires.is_some_and(|(at, now)| at <= now)
            });
            if is_wanted_now {
                facts.matching.insert(subject.clone());
            }
        }
    }

    fn load_otlp(&self, facts: &mut Facts) {
        let mut state = self.otlp.get(&()).cloned().unwrap_or_default();
        let up_to_cursor = self.numbered().take_while(|(seq, _)| *seq <= state.cursor);
        state.public_up_to_cursor =
            i64::try_from(up_to_cursor.filter(|(_, event)| event.name.is_public()).count())
                .unwrap();
        facts.otlp.load((), Some(state));
    }

    fn load_gap_events(&self, since: crate::domain::Timestamp, facts: &mut Facts) {
        let gaps = self.otlp.get(&()).map(|otlp| otlp.gaps.clone()).unwrap_or_default();
        let is_left_out =
            |seq: i64| gaps.iter().any(|Gap { first, last }| (*first..=*last).contains(&seq));
        let left_out =
            self.numbered().filter(|(seq, event)| event.name.is_public() && is_left_out(*seq));
        let left_out: Vec<_> = left_out.collect();
        let first = left_out.iter().find(|(_, event)| event.observed_at >= since);
        facts.gap_events = first.map(|(first, _)| GapEvents {
            first: *first,
            public: left_out.iter().filter(|(seq, _)| seq >= first).count() as u64,
        });
    }

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
        apply(&mut self.service, &diff.service);
        apply(&mut self.otlp, &diff.otlp);
        apply(&mut self.targets, &diff.targets);
        self.events.extend(diff.events.iter().cloned());
        for command in diff.commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: &Command) {
        match command {
            Command::Touch | Command::TrustClock { .. } | Command::KeepRules { .. } => {}
            Command::Resent(events) => self.resend.retain(|seq| !events.contains(seq)),
            Command::Park { events, .. } => self.parked.extend(events),
            Command::ResendParked => self.resend.append(&mut self.parked),
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
