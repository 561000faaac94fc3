//! Checks that were renamed in the service, judged at the end of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        CheckDefinition, CheckId, DefinitionDates, Login, Timestamp,
        failure::{self, CheckName, Exchange},
    },
    ledger::{Change, CheckNumber, Facts, Fault, Keys, Report, Slice, WholeTable},
};

/// Judges which checks were renamed, when all answers of a run are recorded, and gives them their
/// new titles. [`SettleRenames`] updates the rows of users.
#[derive(Debug, Clone, Copy)]
pub struct JudgeRenames {
    /// When the run began.
    pub run_begun_at: Timestamp,
    /// When the change is applied.
    pub at: Timestamp,
}

/// The result of [`JudgeRenames`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedRenames {
    /// The checks that got another title.
    pub told: Vec<RenamedCheck>,
    /// The renamed checks by number, each with its new title.
    pub renamed: Arc<BTreeMap<CheckNumber, String>>,
}

/// A check that was renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedCheck {
    /// The check.
    pub id: CheckId,
    /// The title before.
    pub before: String,
    /// The title now.
    pub now: String,
}

/// Records for a number of users that a renamed check is listed by its new title, and is no longer
/// missing from the answer. It may be interrupted: the next answer about a user has the new title
/// and records the same.
#[derive(Debug, Clone)]
pub struct SettleRenames {
    /// The renamed checks.
    pub renamed: Arc<BTreeMap<CheckNumber, String>>,
    /// The last stored login that was settled before.
    pub after: Option<String>,
    /// The maximum number of users to settle.
    pub limit: usize,
}

impl Change for JudgeRenames {
    type Outcome = JudgedRenames;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Exchanges);
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        for exchange in facts.exchanges.get()? {
            keys.last_reports_at.extend(&exchange.checks);
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<JudgedRenames, Fault> {
        let exchanges = facts.exchanges.get()?;
        let mut had = BTreeSet::new();
        for check in exchanges.iter().flat_map(|exchange| &exchange.checks) {
            let reported = facts.last_reports.get(check)?;
            had.extend(reported.filter(|at| **at >= self.run_begun_at).map(|_| *check));
        }
        let renamed = failure::find_renamed_checks(exchanges, self.run_begun_at, |check| {
            had.contains(&check)
        });
        let mut told = Vec::new();
        for (check, title) in &renamed {
            told.extend(self.rename(facts, *check, title)?);
        }
        Ok(JudgedRenames { told, renamed: Arc::new(renamed) })
    }
}

impl JudgeRenames {
    fn rename(
        &self,
        facts: &mut Facts,
        number: CheckNumber,
        title: &str,
    ) -> Result<Option<RenamedCheck>, Fault> {
        let Some(id) = facts.check_id(number)? else { return Ok(None) };
        for former in facts.identify(&id, title, self.at)? {
            if let Some(check) = facts.check(&id)? {
                let definition = check.definition.clone();
                facts.append(failure::check_identified(&former, &id, &definition, self.at));
            }
        }
        let Some(check) = facts.check(&id)?.cloned() else { return Ok(None) };
        let before = check.definition.title.clone();
        let now = title.trim().to_owned();
        if before == now {
            // An interrupted change gave the check its title before.
            return Ok(None);
        }
        // Answers of this run have the new title. A delivery that was published before them and
        // arrives late must not restore the former title.
        let told = check.definition.told;
        let told = DefinitionDates { title: told.title.max(Some(self.run_begun_at)), ..told };
        let definition =
            CheckDefinition { title: now.clone(), told, ..(*check.definition).clone() };
        let name = CheckName { definition: definition.into(), ..check.name(&id) };
        facts.define_check(&name, check.is_hidden, self.at)?;
        Ok(Some(RenamedCheck { id, before, now }))
    }
}

impl Change for SettleRenames {
    /// The last stored login that was settled; none when no user is left.
    type Outcome = Option<String>;

    fn keys(&self, keys: &mut Keys) {
        keys.exchanging = Some(Slice { after: self.after.clone(), limit: self.limit });
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        for login in &facts.exchanging.get()?.users {
            let answered = facts.answered.get(login)?;
            let exchange = answered.and_then(|answered| answered.exchange.as_ref());
            if exchange.is_some_and(|exchange| self.explained_part(exchange).next().is_some()) {
                keys.failures_of.insert(login.clone());
            }
        }
        Ok(())
    }

    fn work(&self) -> usize {
        self.limit
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<Option<String>, Fault> {
        let slice = facts.exchanging.get()?.clone();
        for login in &slice.users {
            self.settle(facts, login)?;
        }
        Ok(slice.upto.filter(|_| !slice.is_last))
    }
}

impl SettleRenames {
    /// The pairs of a check and a text of an exchange that a rename explains.
    fn explained_part<'a>(
        &'a self,
        exchange: &'a Exchange,
    ) -> impl Iterator<Item = (CheckNumber, &'a String)> {
        let is_in = |(check, text): &(&CheckNumber, &String)| {
            exchange.checks.contains(*check) && exchange.texts.contains(*text)
        };
        self.renamed.iter().filter(is_in).map(|(check, text)| (*check, text))
    }

    fn settle(&self, facts: &mut Facts, login: &Login) -> Result<(), Fault> {
        let Some(mut answered) = facts.answered.get(login)?.cloned() else { return Ok(()) };
        let Some(before) = answered.exchange.take() else { return Ok(()) };
        let mut exchange = before.clone();
        for (check, title) in self.explained_part(&before) {
            exchange.checks.remove(&check);
            exchange.texts.remove(title);
            if let Some(id) = facts.check_id(check)? {
                let report = Report::Listed { at: before.last_at, by_title: true };
                facts.confirm_failure(&id, login, report)?;
            }
        }
        if exchange != before {
            answered.exchange = Some(exchange)
                .filter(|exchange| !exchange.checks.is_empty() && !exchange.texts.is_empty());
            facts.answered.put(login.clone(), answered);
        }
        Ok(())
    }
}
