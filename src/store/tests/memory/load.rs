//! Loads the rows that a group needs.

use std::collections::BTreeSet;

use strum::VariantArray as _;

use super::Tables;
use crate::{
    domain::{CheckId, ListField, Login, WatchSource, failure::Titled, fold_title},
    ledger::{CheckNumber, Facts, Keys, WholeTable},
};

impl Tables {
    pub(super) fn load(&self, keys: &Keys, facts: &mut Facts) {
        for id in &keys.envelopes {
            facts.envelopes.load(id.clone(), self.envelopes.get(id).copied());
        }
        if keys.whole.contains(&WholeTable::Refused) {
            for (number, row) in &self.refused {
                facts.refused.load(*number, Some(*row));
            }
            facts.load_all_refused();
        }
        facts.configured.load((), Some(self.configured.get(&()).cloned().unwrap_or_default()));
        if keys.whole.contains(&WholeTable::Checks) {
            for (id, check) in &self.checks {
                facts.load_check(id.clone(), Some(check.clone()));
            }
            facts.load_all_checks();
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
        if keys.whole.contains(&WholeTable::Listing) {
            facts.listing.load((), self.listing.get(&()).cloned());
            facts.listing_done.load((), self.listing_done.get(&()).cloned());
        }
        for login in &keys.answered {
            facts.answered.load(login.clone(), self.answered.get(login).cloned());
            let done = self.listing_done.get(&());
            let member = done.and_then(|done| self.members.get(&(done.number, login.clone())));
            facts.listed.load(login.clone(), member.cloned());
        }
        for login in &keys.members {
            self.load_member(login, facts);
        }
        self.load_subjects(keys, facts);
        self.load_rest(keys, facts);
        self.load_slices(keys, facts);
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
        for number in &keys.failures_at {
            facts.load_all_failing(*number);
        }
        for number in &keys.last_reports_at {
            let of_check = self.failures.iter().filter(|((_, check), _)| check == number);
            let last = of_check.map(|(_, failure)| failure.reported_at).max();
            facts.last_reports.load(*number, last);
        }
        if let Some(filter) = &keys.people_admitted {
            let admitted = |check: &CheckNumber| {
                let id = self.checks.iter().find(|(_, known)| known.number == *check);
                id.is_some_and(|(id, _)| filter.admits_check(id))
            };
            let people = self.failures.keys().filter(|(_, check)| admitted(check));
            let people: BTreeSet<_> = people.map(|(login, _)| login).collect();
            facts.people_admitted.load(people.len() as u64);
        }
        if keys.whole.contains(&WholeTable::Exchanges) {
            let exchanges = self.answered.values().filter_map(|answered| answered.exchange.clone());
            let exchanges: Vec<_> = exchanges.collect();
            for exchange in &exchanges {
                for text in &exchange.texts {
                    let id = CheckId::from_answer_text(text).unwrap();
                    facts.load_check(id.clone(), self.checks.get(&id).cloned());
                    self.load_title(&fold_title(text), facts);
                }
                for (id, check) in &self.checks {
                    if exchange.checks.contains(&check.number) {
                        facts.load_check(id.clone(), Some(check.clone()));
                    }
                }
            }
            facts.exchanges.load(exchanges);
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
        self.load_by_condition(keys, facts);
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
        if keys.whole.contains(&WholeTable::ListMemory) {
            for &field in ListField::VARIANTS {
                facts.list_memory.load(field, self.list_memory.get(&field).copied());
            }
        }
        if keys.whole.contains(&WholeTable::Tenant) {
            facts.tenant.load((), self.tenant.get(&()).copied());
        }
        if keys.whole.contains(&WholeTable::Service) {
            facts.service.load((), self.service.get(&()).cloned());
        }
        for id in &keys.targets {
            facts.targets.load(id.clone(), self.targets.get(id).cloned());
        }
        if keys.whole.contains(&WholeTable::Otlp) {
            self.load_otlp(facts);
        }
    }

    pub(super) fn load_member(&self, login: &Login, facts: &mut Facts) {
        let listing = self.listing.get(&());
        let key = listing.map(|listing| (listing.number, login.clone()));
        facts.members.load(login.clone(), key.and_then(|key| self.members.get(&key)).cloned());
    }

    fn load_by_condition(&self, keys: &Keys, facts: &mut Facts) {
        if keys.watched_for.is_empty() && keys.expired_at.is_none() {
            return;
        }
        let mut matching = BTreeSet::new();
        let is_wanted = |source: &WatchSource| keys.watched_for.contains(source);
        for (subject, reasons) in &self.watched {
            let is_wanted_now = reasons.iter().any(|(source, reason)| {
                let expires = reason.expires_at.zip(keys.expired_at);
                is_wanted(source) || expires.is_some_and(|(at, now)| at <= now)
            });
            if is_wanted_now {
                matching.insert(subject.clone());
            }
        }
        facts.matching.load(matching);
    }

    fn load_otlp(&self, facts: &mut Facts) {
        let mut state = self.otlp.get(&()).cloned().unwrap_or_default();
        let up_to_cursor = self.numbered().take_while(|(seq, _)| *seq <= state.cursor);
        state.public_up_to_cursor =
            i64::try_from(up_to_cursor.filter(|(_, event)| event.name.is_public()).count())
                .unwrap();
        facts.otlp.load((), Some(state));
    }
}
