//! The operator's filter of checks.

use crate::{
    domain::CheckFilter,
    ledger::{Change, Facts, Fault, Keys, WholeTable},
};

/// Shows the checks that the operator's filter admits, and hides all others. Rows of hidden checks
/// stay and are updated without events.
#[derive(Debug, Clone)]
pub struct FilterChecks {
    /// The filter that applies from now on.
    pub filter: CheckFilter,
}

/// The number of checks that a filter showed and hid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterOutcome {
    /// Checks that were hidden before.
    pub shown: usize,
    /// Checks that were shown before.
    pub hidden: usize,
}

impl Change for FilterChecks {
    type Outcome = FilterOutcome;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Checks);
        keys.people_admitted = Some(self.filter.clone());
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<FilterOutcome, Fault> {
        let mut outcome = FilterOutcome { shown: 0, hidden: 0 };
        for id in facts.known_checks()? {
            let is_hidden = !self.filter.admits_check(&id);
            if facts.hide_check(&id, is_hidden)? {
                outcome.hidden += usize::from(is_hidden);
                outcome.shown += usize::from(!is_hidden);
            }
        }
        if outcome.hidden + outcome.shown > 0 {
            facts.recount_people()?;
        }
        Ok(outcome)
    }
}
