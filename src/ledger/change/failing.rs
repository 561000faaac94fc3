//! What an answer says of the checks that a user fails, whoever gave it: a poll,
//! the listing of the tenant, or a null that turned out to mean none.

use std::collections::BTreeSet;

use crate::{
    domain::{
        CheckFilter, Login, Timestamp, WatchSubject,
        failure::{self, AnswerContext, CheckName, FailureAnswer, OpenFailure, Verdict},
    },
    ledger::{Answered, Ending, Facts, Failure, Fault, Keys, Subject, Whole},
};

/// Names the rows that [`record_answer`] needs of a user.
pub(super) fn keys_of(login: &Login, keys: &mut Keys) {
    keys.failures_of.insert(login.clone());
    keys.answered.insert(login.clone());
    keys.watched.insert(WatchSubject::User(login.clone()));
    keys.whole.insert(Whole::Listing);
}

/// Names the checks that texts mean.
pub(super) fn keys_of_names<'a>(names: impl IntoIterator<Item = &'a String>, keys: &mut Keys) {
    for name in names {
        keys.name(name);
    }
}

/// Lets an answer change what is known of its user.
pub(super) fn record_answer(
    facts: &mut Facts,
    answer: &FailureAnswer,
    filter: &CheckFilter,
) -> Result<(), Fault> {
    let known = answer_context(facts, answer)?;
    let Some(decision) = failure::on_answer(answer, &known, filter) else { return Ok(()) };
    let login = &answer.login;
    for found in &decision.opened {
        facts.define_check(&found.id, &found.definition, answer.answered_at)?;
        let failure = Failure {
            opened_at: answer.asked_at,
            reported_at: answer.asked_at,
            delivery: None,
            is_announced: !decision.is_baseline,
            is_dated: false,
        };
        facts.open_failure(&found.id, login, failure, answer.answered_at)?;
    }
    for check in &decision.confirmed {
        facts.confirm_failure(check, login, answer.asked_at)?;
    }
    for (check, _) in &decision.resolved {
        let (asked_at, at) = (answer.asked_at, answer.answered_at);
        facts.close_failure(check, login, Ending { asked_at, at, reason: decision.reason })?;
    }
    let is_shown = !decision.events.is_empty();
    for event in decision.events {
        facts.append(event);
    }
    if is_shown {
        facts.touch(Subject::User(login.clone()));
    }
    save_progress(facts, answer, decision.unknown_since)
}

/// What is known of a user before an answer.
fn answer_context(facts: &Facts, answer: &FailureAnswer) -> Result<AnswerContext, Fault> {
    let login = &answer.login;
    let mut known =
        AnswerContext { as_of: facts.last_answer_as_of(login)?, ..AnswerContext::default() };
    known.unknown_since = facts.answered.get(login)?.and_then(|answered| answered.unknown_since);
    known.configured = facts.configured_checks()?;
    let mut candidates = BTreeSet::new();
    if let Verdict::Fails(names) = &answer.verdict {
        for name in names {
            candidates.extend(facts.checks_named(name)?);
        }
    }
    for (number, failure) in facts.failures_of(login)? {
        let Some(id) = facts.check_id(number) else { continue };
        let Failure { opened_at, reported_at, .. } = *failure;
        candidates.insert(id.clone());
        known.open.insert(id, OpenFailure { reported_at, opened_at });
    }
    for id in candidates {
        if let Some(check) = facts.check(&id)? {
            known.checks.push(CheckName { id, definition: check.definition.clone() });
        }
    }
    Ok(known)
}

fn save_progress(
    facts: &mut Facts,
    answer: &FailureAnswer,
    unknown_since: Option<Timestamp>,
) -> Result<(), Fault> {
    let login = &answer.login;
    let mut as_of = answer.as_of();
    // One that counts for less than its moment does not move it back.
    if let Some(before) = facts.answered.get(login)?.filter(|_| !answer.settle.is_zero()) {
        as_of = as_of.max(before.as_of);
    }
    facts.answered.put(login.clone(), Answered { as_of, unknown_since });
    Ok(())
}
