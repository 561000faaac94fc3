//! People who fail something, each counted once, at the worst of their checks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use super::{Family, sample::Sample};
use crate::{
    domain::Severity,
    store::{Reader, StoreError},
};

/// Everybody who fails a check, with the severity they are counted at.
///
/// An event names a user or a check: only that user, or those who fail that
/// check, are read again, and never everybody.
#[derive(Debug, Default)]
pub(super) struct People {
    severity_of: HashMap<String, Arc<str>>,
    /// How many there are at each severity; none is 0.
    count_of: BTreeMap<Arc<str>, u64>,
    /// The severity that each check had when it was last read.
    checks: BTreeMap<String, String>,
}

impl People {
    /// Reads everybody.
    pub(super) fn read(reader: &Reader) -> Result<Self, StoreError> {
        let checks = reader.check_severities()?;
        let mut people = Self {
            checks: checks.into_iter().map(|(id, severity)| (id, severity.label())).collect(),
            ..Self::default()
        };
        let mut worst = HashMap::<String, Severity>::new();
        reader.each_failing_severity(|login, severity| {
            let known = worst.remove(&login);
            let of_login = Severity::worst(known.into_iter().chain([severity]));
            worst.insert(login, of_login.unwrap_or_default());
        })?;
        for (login, severity) in worst {
            people.put(login, Some(&severity));
        }
        Ok(people)
    }

    /// Reads these users again, and those who fail one of these checks where its
    /// severity is another than before.
    pub(super) fn refresh(
        &mut self,
        reader: &Reader,
        mut logins: BTreeSet<String>,
        check_ids: BTreeSet<String>,
    ) -> Result<(), StoreError> {
        // All is read before anything is changed: a reading that fails is made again.
        let mut rated = Vec::new();
        for id in check_ids {
            let severity = reader.check(&id)?.map(|check| check.severity).unwrap_or_default();
            let label = severity.label();
            let unknown = || Severity::default().label();
            if self.checks.get(&id).cloned().unwrap_or_else(unknown) != label {
                logins.extend(reader.logins_failing(&id)?);
            }
            rated.push((id, label));
        }
        let mut found = Vec::with_capacity(logins.len());
        for login in logins {
            let severity = Severity::worst(reader.failing_severities(&login)?);
            found.push((login, severity));
        }
        self.checks.extend(rated);
        for (login, severity) in found {
            self.put(login, severity.as_ref());
        }
        Ok(())
    }

    /// The samples: those of everybody, and zeros when the whole tenant `is_known`,
    /// so that nobody is a number then and a gap before.
    pub(super) fn samples(&self, is_known: bool) -> Vec<Sample> {
        let mut counts: BTreeMap<&str, u64> =
            self.count_of.iter().map(|(label, count)| (&**label, *count)).collect();
        if is_known {
            for label in Severity::LABELS {
                counts.entry(label).or_default();
            }
        }
        let sample =
            |(label, count): (&str, u64)| Sample::new(Family::FailingUsers, &[label], count);
        counts.into_iter().map(sample).collect()
    }

    /// Counts a user at a severity, or no longer.
    fn put(&mut self, login: String, severity: Option<&Severity>) {
        if let Some(before) = self.severity_of.remove(&login)
            && let Some(count) = self.count_of.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.count_of.remove(&before);
            }
        }
        let Some(severity) = severity else { return };
        // Thousands of people share the text of a handful of severities.
        let label = severity.label();
        let shared = self.count_of.get_key_value(label.as_str()).map(|(label, _)| label.clone());
        let label = shared.unwrap_or_else(|| Arc::from(label));
        *self.count_of.entry(label.clone()).or_default() += 1;
        self.severity_of.insert(login, label);
    }
}
