//! People who fail something, each counted once, at the worst of their checks.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use super::{Family, check_sets::CheckSets, sample::Sample};
use crate::{
    domain::{CheckId, Severity},
    ledger::PersonChange,
    store::{Reader, StoreError},
};

/// Everybody who fails a check, with the checks that they fail.
///
/// It is read once and then follows failures that open and end, so that a round costs
/// what changed, and not how many people there are.
#[derive(Debug, Default)]
pub(super) struct People {
    checks: Vec<Severity>,
    index_of: HashMap<CheckId, u32>,
    sets: CheckSets,
    /// The set of a person, who is known by a number: a hash takes less than a login. Of a
    /// million people, two share one in one of 37 million exporters; the price is one person
    /// too few. Nobody can look for two, since the hash has a key of its own in each process.
    set_of: HashMap<u64, u32>,
    key: RandomState,
    /// How many there are at each severity; none is 0.
    count_of: BTreeMap<String, u64>,
}

impl People {
    /// Reads everybody.
    pub(super) fn read(reader: &Reader) -> Result<Self, StoreError> {
        let mut people = Self::default();
        for (id, severity) in reader.check_severities()? {
            people.rate(&id, severity);
        }
        let mut unknown = HashSet::new();
        reader.each_open_failure(|login, id| {
            let Some(index) = people.index_of.get(id).copied() else {
                unknown.insert(id.clone());
                return;
            };
            let person = people.key.hash_one(login);
            let mut checks = people.take(person).unwrap_or_default();
            checks.push(index);
            people.put(person, checks);
        })?;
        debug_assert!(unknown.is_empty(), "a failure has a check: {unknown:?}");
        people.count_anew();
        Ok(people)
    }

    /// Notes the severity that a check has now; whoever fails it counts anew when it is another
    /// than before.
    pub(super) fn rate(&mut self, id: &CheckId, severity: Severity) {
        let Some(index) = self.index_of.get(id).copied() else {
            let index = u32::try_from(self.checks.len()).unwrap_or(u32::MAX);
            self.index_of.insert(id.clone(), index);
            self.checks.push(severity);
            return;
        };
        let known = &mut self.checks[index as usize];
        if *known != severity {
            *known = severity;
            self.count_anew();
        }
    }

    /// Follows a failure that opened or ended. It may be one that was read already.
    pub(super) fn follow(&mut self, change: &PersonChange) {
        let index = self.index(&change.check);
        let person = self.key.hash_one(change.login.as_str());
        let mut checks = self.take(person).unwrap_or_default();
        let before = self.worst(&checks);
        checks.retain(|known| *known != index);
        if change.is_open {
            checks.push(index);
        }
        let now = self.worst(&checks);
        if before != now {
            self.count(before, -1);
            self.count(now, 1);
        }
        if !checks.is_empty() {
            self.put(person, checks);
        }
    }

    /// Takes a person out, with the checks that they fail.
    fn take(&mut self, person: u64) -> Option<Vec<u32>> {
        let place = self.set_of.remove(&person)?;
        let checks = self.sets.checks(place).to_vec();
        self.sets.leave(place);
        Some(checks)
    }

    fn put(&mut self, person: u64, checks: Vec<u32>) {
        let place = self.sets.join(checks);
        self.set_of.insert(person, place);
    }

    /// The samples: those of everybody, and zeros when the whole tenant `is_known`,
    /// so that nobody is a number then and a gap before.
    pub(super) fn samples(&self, is_known: bool) -> Vec<Sample> {
        let mut counts: BTreeMap<&str, u64> =
            self.count_of.iter().map(|(label, count)| (label.as_str(), *count)).collect();
        if is_known {
            for label in Severity::LABELS {
                counts.entry(label).or_default();
            }
        }
        let sample =
            |(label, count): (&str, u64)| Sample::new(Family::FailingUsers, &[label], count);
        counts.into_iter().map(sample).collect()
    }

    /// The place of a check; of one that is new, its severity is told with it.
    fn index(&mut self, id: &CheckId) -> u32 {
        if let Some(index) = self.index_of.get(id) {
            return *index;
        }
        self.rate(id, Severity::default());
        self.index_of.get(id).copied().unwrap_or_default()
    }

    fn worst(&self, checks: &[u32]) -> Option<String> {
        let severities = checks.iter().filter_map(|index| self.checks.get(*index as usize));
        Severity::worst(severities.cloned()).map(|severity| severity.label())
    }

    fn count(&mut self, label: Option<String>, by: i64) {
        let Some(label) = label else { return };
        let count = self.count_of.entry(label.clone()).or_default();
        *count = count.saturating_add_signed(by);
        if *count == 0 {
            self.count_of.remove(&label);
        }
    }

    fn count_anew(&mut self) {
        let mut counts = BTreeMap::<String, u64>::new();
        for (checks, people) in self.sets.each() {
            if let Some(label) = self.worst(checks) {
                *counts.entry(label).or_default() += people;
            }
        }
        self.count_of = counts;
    }
}
