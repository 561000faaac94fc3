//! The operator's objectives: how long failures may last.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{CheckId, Severity};

/// How long a failure may last, by the severity of its check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objectives {
    by_severity: BTreeMap<String, TimeDelta>,
    except: BTreeSet<CheckId>,
}

impl Objectives {
    /// Objectives by the label of a severity, for all checks but the exceptions. A check whose
    /// failures end by themselves after a time window needs none.
    #[must_use]
    pub fn new(
        by_severity: impl IntoIterator<Item = (String, TimeDelta)>,
        except: impl IntoIterator<Item = CheckId>,
    ) -> Self {
        Self {
            by_severity: by_severity.into_iter().collect(),
            except: except.into_iter().collect(),
        }
    }

    /// How long a failure may last, by the label of a severity.
    pub fn by_severity(&self) -> impl Iterator<Item = (&str, TimeDelta)> {
        self.by_severity.iter().map(|(severity, limit)| (severity.as_str(), *limit))
    }

    /// The checks without an objective.
    pub fn excepted_checks(&self) -> impl Iterator<Item = &CheckId> {
        self.except.iter()
    }

    /// How long a failure of this check may last; none without an objective.
    #[must_use]
    pub fn limit_for(&self, check: &CheckId, severity: &Severity) -> Option<TimeDelta> {
        let objective = self.by_severity.get(&severity.label()).copied();
        objective.filter(|_| !self.except.contains(check))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_severity_decides_in_any_spelling_unless_the_check_is_left_out() {
        let id = |text| CheckId::new(text).unwrap();
        let objectives =
            Objectives::new([("medium".to_owned(), TimeDelta::days(30))], [id("mfa-flood")]);
        let of = |check, severity| objectives.limit_for(&id(check), &Severity::new(severity));
        assert_eq!(of("no-mfa", Some("Moderate")), Some(TimeDelta::days(30)));
        assert_eq!(of("no-mfa", Some("high")), None);
        assert_eq!(of("no-mfa", None), None);
        assert_eq!(of("mfa-flood", Some("medium")), None);
    }
}
