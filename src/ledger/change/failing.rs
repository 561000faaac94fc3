//! Applies an answer about the checks that a user fails. It can come from a poll, from the listing
//! of the tenant, or from a null that was judged to mean none.

use crate::{
    domain::{
        CheckFilter, Login, Timestamp, WatchSubject,
        failure::{self, AnswerContext, AnswerDecision, FailureAnswer, OpenFailure, Verdict},
    },
    ledger::{Answered, Ending, Facts, Failure, Fault, Keys, Report, Subject, WholeTable},
};

/// Adds the rows that [`record_answer`] needs of a user.
pub(super) fn keys_of(login: &Login, keys: &mut Keys) {
    keys.failures_of.insert(login.clone());
    keys.answered.insert(login.clone());
    keys.watched.insert(WatchSubject::User(login.clone()));
    keys.whole.insert(WholeTable::Listing);
}

/// Adds the checks that these texts can mean.
pub(super) fn keys_of_names<'a>(names: impl IntoIterator<Item = &'a String>, keys: &mut Keys) {
    for name in names {
        keys.add_name(name);
    }
}

/// Applies an answer to the state of its user. `at` is when the change is committed, which can be
/// long after the answer came.
pub(super) fn record_answer(
    facts: &mut Facts,
    answer: &FailureAnswer,
    filter: &CheckFilter,
    at: Timestamp,
) -> Result<(), Fault> {
    let known = answer_context(facts, answer)?;
    let Some(decision) = failure::on_answer(answer, &known, filter) else { return Ok(()) };
    let login = &answer.login;
    for opened in &decision.opened {
        let check = &opened.check;
        facts.define_check(check, !filter.admits_check(&check.id), answer.answered_at)?;
        let failure = Failure {
            opened_at: answer.asked_at,
            reported_at: answer.asked_at,
            named_at: None,
            is_announced: opened.is_announced,
            is_dated: false,
            by_title: opened.by_title,
        };
        facts.open_failure(&check.id, login, failure, at)?;
    }
    for (check, by_title) in &decision.confirmed {
        let report = Report::Listed { at: answer.asked_at, by_title: *by_title };
        facts.confirm_failure(check, login, report)?;
    }
    for check in &decision.resolved {
        let (asked_at, at) = (answer.asked_at, answer.answered_at);
        facts.close_failure(check, login, Ending { asked_at, at, reason: decision.reason })?;
    }
    for event in &decision.events {
        facts.append(event.clone());
    }
    if !decision.opened.is_empty() || !decision.resolved.is_empty() {
        facts.touch(Subject::User(login.clone()));
    }
    save_progress(facts, answer, decision)
}

/// The state of a user, as decisions about an answer need it.
fn answer_context(facts: &Facts, answer: &FailureAnswer) -> Result<AnswerContext, Fault> {
    let login = &answer.login;
    let mut known = AnswerContext {
        as_of: facts.last_answer_as_of(login)?,
        is_first_look: facts.is_first_look(login)?,
        ..AnswerContext::default()
    };
    if let Some(answered) = facts.answered.get(login)? {
        known.unknown_since = answered.unknown_since;
        known.suspect_since = answered.suspect_since;
        known.shared_texts.clone_from(&answered.shared_texts);
        known.exchange.clone_from(&answered.exchange);
    }
    if let Verdict::Fails(names) = &answer.verdict {
        for name in names {
            if let Some(meaning) = facts.meaning(name)? {
                known.meanings.insert(name.clone(), meaning);
            }
        }
    }
    for (check, failure) in facts.failures_of(login)? {
        let Some(id) = facts.check_id(check)? else { continue };
        if let Some(check) = facts.check(&id)? {
            known.checks.insert(id.clone(), check.definition.clone());
        }
        let Failure { opened_at, named_at, by_title, is_announced, .. } = *failure;
        known.open.insert(id, OpenFailure { check, opened_at, named_at, by_title, is_announced });
    }
    Ok(known)
}

fn save_progress(
    facts: &mut Facts,
    answer: &FailureAnswer,
    decision: AnswerDecision,
) -> Result<(), Fault> {
    let login = &answer.login;
    let listed_at = match &answer.verdict {
        Verdict::Fails(_) => Some(answer.asked_at),
        Verdict::Unknown | Verdict::Suspect => {
            facts.answered.get(login)?.and_then(|answered| answered.listed_at)
        }
    };
    let answered = Answered {
        as_of: answer.asked_at,
        listed_at,
        unknown_since: decision.unknown_since,
        suspect_since: decision.suspect_since,
        shared_texts: decision.shared_texts,
        exchange: decision.exchange,
    };
    facts.answered.put(login.clone(), answered);
    Ok(())
}
