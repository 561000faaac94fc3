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

/// Judges which checks were renamed, now that the answers of a run are in, and gives them their
/// new titles. What is known of users is left to [`SettleRenames`].
#[derive(Debug, Clone, Copy)]
pub struct JudgeRenames {
    /// When the run began.
    pub run_begun_at: Timestamp,
    /// Now.
    pub at: Timestamp,
}

/// What [`JudgeRenames`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedRenames {
    /// The checks that got another title.
    pub told: Vec<RenamedCheck>,
    /// Checks by number, each with the text that is listed in its place.
    pub renamed: Arc<BTreeMap<CheckNumber, String>>,
}

/// A check that was renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedCheck {
    /// The check.
    pub id: CheckId,
    /// The title that it had.
    pub before: String,
    /// The title that it has.
    pub now: String,
}

/// Notes for some users that what was renamed is listed by its new title, and in nobody's place
/// any more. It may be broken off: the next answer about a user, which has the title, notes the
/// same.
#[derive(Debug, Clone)]
pub struct SettleRenames {
    /// What was renamed.
    pub renamed: Arc<BTreeMap<CheckNumber, String>>,
    /// Up to which stored login this was done before.
    pub after: Option<String>,
    /// For how many users at most.
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
            // It was judged before, and broken off.
            return Ok(None);
        }
        // Answers of this run have it: a delivery that was published before them, and is
        // late, does not give the check its former title again.
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
    /// Up to which stored login it is done; nothing when nobody is left.
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
    /// Of an exchange, the checks and texts that are one.
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
