//! People who fail something, each counted once, at the worst of their checks.

use std::collections::{BTreeMap, HashMap};

use super::{Family, sample::Sample};
use crate::{
    domain::Severity,
    ledger::{CheckNumber, CheckSet},
    store::{Reader, StoreError},
};

/// How many people fail just which checks.
///
/// It is read once and then follows the sets that commits touched, so that a round costs what
/// changed, and not how many people there are. A handful of sets is shared by everybody.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Of the checks that are not hidden.
    severities: BTreeMap<CheckNumber, Severity>,
    by_set: HashMap<CheckSet, u64>,
    /// How many there are at each severity; none is 0.
    count_of: BTreeMap<String, u64>,
}

impl People {
    /// Reads every set.
    pub(super) fn read(reader: &Reader) -> Result<Self, StoreError> {
        let severities = reader.severities_by_number()?;
        let mut people = Self { severities, ..Self::default() };
        reader.each_check_set(|checks, count| {
            people.change_count(&checks, count, true);
            people.by_set.insert(checks, count);
        })?;
        Ok(people)
    }

    /// Reads again how many people fail just these checks, and how severe each check is.
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

    /// The label of the worst of these checks; nothing when all are hidden.
    fn worst_label(&self, checks: &[CheckNumber]) -> Option<String> {
        let severities = checks.iter().filter_map(|check| self.severities.get(check));
        Severity::worst(severities.cloned()).map(|severity| severity.label())
    }

    /// Counts people who fail these checks, or takes them off.
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
