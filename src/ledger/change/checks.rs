//! The operator's configuration of checks: titles for checks that no delivery named, and the
//! removal of checks that no longer exist.

use std::sync::Arc;

use crate::{
    domain::{
        CheckDefinition, CheckId, ConfiguredChecks, Timestamp,
        failure::{self, CheckName},
    },
    ledger::{Change, Check, Facts, Fault, Keys, NextFailing, WholeTable},
};

/// Applies what the configuration says of checks.
#[derive(Debug, Clone)]
pub struct ConfigureChecks {
    /// All configured checks.
    pub configured: Arc<ConfiguredChecks>,
    /// When the configuration was applied.
    pub at: Timestamp,
}

/// Removes a check with its open failures and totals, a number of failures per change.
#[derive(Debug, Clone)]
pub struct ForgetCheck {
    /// The check.
    pub id: CheckId,
    /// The maximum number of failures to remove.
    pub limit: usize,
}

/// The progress of a check's removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckForgotten {
    /// Open failures are left: repeat the change.
    Partly,
    /// The check is removed.
    Entirely,
    /// The configuration gives the check a title, and would create it again.
    Configured,
    /// No such check exists.
    Unknown,
}

impl Change for ConfigureChecks {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Checks);
        for (id, title) in self.configured.ids_with_titles() {
            keys.checks.insert(id);
            keys.add_title(title);
        }
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        for (id, title) in self.configured.ids_with_titles() {
            facts.keys_to_identify(&id, title, keys)?;
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        if facts.configured_checks()? == self.configured {
            return Ok(());
        }
        facts.configured.put((), self.configured.clone());
        for id in facts.known_checks()? {
            let Some(check) = facts.check(&id)?.cloned() else { continue };
            if self.is_only_configured(&id, &check) {
                facts.remove_check(&id)?;
                continue;
            }
            let definition =
                (*check.definition).clone().with_configured_words(&id, &self.configured);
            if definition != *check.definition {
                let name = CheckName { definition: definition.into(), ..check.name(&id) };
                facts.set_words(&name, check.is_hidden, self.at)?;
            }
        }
        // The operator gave this id a title: an answer that lists the title means this check from
        // now on.
        for (id, title) in self.configured.ids_with_titles() {
            let former = facts.identify(&id, title, self.at)?;
            let known = facts.check(&id)?.map(|check| (*check.definition).clone());
            let definition = known.unwrap_or_else(|| CheckDefinition::undefined(&id));
            let definition = Arc::new(definition.with_configured_words(&id, &self.configured));
            for former in former {
                facts.append(failure::check_identified(&former, &id, &definition, self.at));
            }
            let name = CheckName { id, definition, is_provisional: false };
            facts.set_words(&name, false, self.at)?;
        }
        Ok(())
    }
}

impl ConfigureChecks {
    /// Whether a check exists only because the configuration has a title for it.
    fn is_only_configured(&self, id: &CheckId, check: &Check) -> bool {
        let is_titled = self.configured.ids_with_titles().any(|(titled, _)| titled == *id);
        let is_unused = check.open == 0
            && check.totals.failures == 0
            && check.totals.resolutions == 0
            && check.definition.is_untold()
            && check.definition.title != id.as_str();
        is_unused && !is_titled
    }
}

impl Change for ForgetCheck {
    type Outcome = CheckForgotten;

    fn keys(&self, keys: &mut Keys) {
        keys.checks.insert(self.id.clone());
        keys.failing = Some((self.id.clone(), self.limit));
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        keys.failures_of.extend(facts.failing.get()?.users.iter().cloned());
        Ok(())
    }

    fn work(&self) -> usize {
        self.limit
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<CheckForgotten, Fault> {
        if facts.check(&self.id)?.is_none() {
            return Ok(CheckForgotten::Unknown);
        }
        if facts.configured_checks()?.ids_with_titles().any(|(id, _)| id == self.id) {
            return Ok(CheckForgotten::Configured);
        }
        let NextFailing { users, is_last } = facts.failing.get()?.clone();
        for login in &users {
            facts.forget_failure(&self.id, login)?;
        }
        if !is_last {
            return Ok(CheckForgotten::Partly);
        }
        facts.remove_check(&self.id)?;
        Ok(CheckForgotten::Entirely)
    }
}
