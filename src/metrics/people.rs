//! Users who fail any check, each counted once at the worst severity of their checks.

use std::collections::{BTreeMap, HashMap};

use super::{Family, sample::Sample};
use crate::{
    domain::Severity,
    ledger::{CheckNumber, CheckSet},
    store::{Reader, StoreError},
};

/// The number of users by the exact set of checks that they fail.
///
/// It is read once, and then only the sets that commits touched are read again, so that a round
/// costs what changed and not the number of users. There are few sets, because many users fail the
/// same checks.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Severities of the checks that are not hidden.
    severities: BTreeMap<CheckNumber, Severity>,
    by_set: HashMap<CheckSet, u64>,
    /// Number of users by the label of their worst severity; 0 is not stored.
    count_of: BTreeMap<String, u64>,
}

impl People {
    /// Reads all sets.
    pub(super) fn read(reader: &Reader) -> Result<Self, StoreError> {
        let severities = reader.severities_by_number()?;
        let mut people = Self { severities, ..Self::default() };
        reader.each_check_set(|checks, count| {
            people.change_count(&checks, count, true);
            people.by_set.insert(checks, count);
        })?;
        Ok(people)
    }

    /// Reads the counts of these sets and all severities again.
    pub(super) fn update_sets<'a>(
        &mut self,
        reader: &Reader,
        sets: impl IntoIterator<Item = &'a CheckSet>,
    ) -> Result<(), StoreError> {
        let severities = reader.severities_by_number()?;
        if self.severities != severities {
            self.severities = severities;
            self.recount();
        }
        for checks in sets {
            let now = reader.people_of_check_set(checks)?;
            let before = if now == 0 {
                self.by_set.remove(checks)
            } else {
                self.by_set.insert(checks.clone(), now)
            };
            self.change_count(checks, before.unwrap_or_default(), false);
            self.change_count(checks, now, true);
        }
        Ok(())
    }

    /// Builds the samples. Severities without users are 0 once the tenant was listed (`is_known`),
    /// and absent before, when the number is unknown.
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

    /// The label of the worst severity of these checks; `None` when all are hidden.
    fn worst_label(&self, checks: &[CheckNumber]) -> Option<String> {
        let severities = checks.iter().filter_map(|check| self.severities.get(check));
        Severity::worst(severities.cloned()).map(|severity| severity.label())
    }

    /// Adds or subtracts users who fail these checks.
    fn change_count(&mut self, checks: &[CheckNumber], people: u64, is_more: bool) {
        let Some(label) = self.worst_label(checks).filter(|_| people > 0) else { return };
        let count = self.count_of.entry(label.clone()).or_default();
        *count = if is_more { count.saturating_add(people) } else { count.saturating_sub(people) };
        if *count == 0 {
            self.count_of.remove(&label);
        }
    }

    fn recount(&mut self) {
        self.count_of.clear();
        let by_set = std::mem::take(&mut self.by_set);
        for (checks, people) in &by_set {
            self.change_count(checks, *people, true);
        }
        self.by_set = by_set;
    }
}
