//! What a group asks for.

use std::collections::BTreeSet;

use strum::VariantArray as _;

use super::Tables;
use crate::{
    domain::{CheckId, ListField, Login, Timestamp, WatchSource, failure::Titled, fold_title},
    ledger::{CheckNumber, Facts, Gap, GapEvents, Keys, Whole},
};

impl Tables {
    pub(super) fn load(&self, keys: &Keys, facts: &mut Facts) {
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

    fn load_gap_events(&self, since: Timestamp, facts: &mut Facts) {
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
}
