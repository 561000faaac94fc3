//! Checks that were renamed in the service, judged at the end of a run.

use std::collections::BTreeMap;

use crate::{
    domain::{
        CheckDefinition, CheckId, Timestamp, ToldAt,
        failure::{self, CheckName},
    },
    ledger::{Change, CheckNumber, Facts, Fault, Keys, Report, Whole},
};

/// Judges which checks were renamed, now that the answers of a run are in.
#[derive(Debug, Clone, Copy)]
pub struct JudgeRenames {
    /// When the run began.
    pub run_begun_at: Timestamp,
    /// Now.
    pub at: Timestamp,
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

impl Change for JudgeRenames {
    type Outcome = Vec<RenamedCheck>;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(Whole::Exchanges);
        keys.whole.insert(Whole::Listing);
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        for login in &facts.exchanging {
            keys.failures_of.insert(login.clone());
            let answered = facts.answered.get(login)?;
            if let Some(exchange) = answered.and_then(|answered| answered.exchange.as_ref()) {
                keys.last_reports_at.extend(&exchange.checks);
                for text in &exchange.texts {
                    facts.keys_to_identify(text, keys)?;
                }
            }
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<Vec<RenamedCheck>, Fault> {
        let mut exchanges = Vec::new();
        for login in &facts.exchanging {
            let answered = facts.answered.get(login)?;
            exchanges.extend(answered.and_then(|answered| answered.exchange.clone()));
        }
        let has_check = |check| {
            facts.last_reports.get(&check).is_some_and(|reported| *reported >= self.run_begun_at)
        };
        let renamed = failure::renamed(&exchanges, self.run_begun_at, has_check);
        let mut told = Vec::new();
        for (check, title) in &renamed {
            told.extend(self.rename(facts, *check, title)?);
        }
        settle(facts, &renamed)?;
        Ok(told)
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
        // Answers of this run have it: a delivery that was published before them, and is
        // late, does not give the check its former title again.
        let told = check.definition.told;
        let told = ToldAt { title: told.title.max(Some(self.run_begun_at)), ..told };
        let definition =
            CheckDefinition { title: title.trim().to_owned(), told, ..(*check.definition).clone() };
        let name = CheckName { definition: definition.into(), ..check.name(&id) };
        facts.define_check(&name, check.is_hidden, self.at)?;
        Ok(Some(RenamedCheck { id, before, now: title.trim().to_owned() }))
    }
}

/// What was renamed is listed by its new title, and in nobody's place any more.
fn settle(facts: &mut Facts, renamed: &BTreeMap<CheckNumber, String>) -> Result<(), Fault> {
    for login in facts.exchanging.clone() {
        let Some(mut answered) = facts.answered.get(&login)?.cloned() else { continue };
        let Some(mut exchange) = answered.exchange.take() else { continue };
        let at = exchange.last_at;
        for (check, title) in renamed {
            if !exchange.checks.contains(check) || !exchange.texts.contains(title) {
                continue;
            }
            exchange.checks.remove(check);
            exchange.texts.remove(title);
            if let Some(id) = facts.check_id(*check)? {
                facts.confirm_failure(&id, &login, Report::Listed { at, by_title: true })?;
            }
        }
        answered.exchange = Some(exchange)
            .filter(|exchange| !exchange.checks.is_empty() && !exchange.texts.is_empty());
        if facts.answered.get(&login)? != Some(&answered) {
            facts.answered.put(login, answered);
        }
    }
    Ok(())
}
