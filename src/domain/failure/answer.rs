//! What an answer of the API changes: the decision that ends failures.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{
        CheckDefinition, CheckFilter, CheckId, ConfiguredChecks, Event, Severity, Timestamp,
        fold_title,
    },
    event,
    report::{FailureAnswer, OpenFailure, Verdict},
};

/// How long the service may not know a user before the user's failures end.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Why a failure ends whose user is known and does not fail the check any more.
pub const NO_LONGER_FAILING: &str = "no_longer_failing";

/// What an id or title in an answer can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckName {
    /// The check.
    pub id: CheckId,
    /// What is known of it.
    pub definition: Arc<CheckDefinition>,
}

/// What is known before the answer.
#[derive(Debug, Clone, Default)]
pub struct AnswerContext {
    /// The user's open failures.
    pub open: BTreeMap<CheckId, OpenFailure>,
    /// The checks that the answer, or an open failure, can mean.
    pub checks: Vec<CheckName>,
    /// What the operator says of checks.
    pub configured: Arc<ConfiguredChecks>,
    /// When the newest answer that was taken had been asked for.
    pub as_of: Option<Timestamp>,
    /// Since when the service does not know the user.
    pub unknown_since: Option<Timestamp>,
}

/// What an answer changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerDecision {
    /// Failures that open, each with its check.
    pub opened: Vec<CheckName>,
    /// Whether those were there before anyone looked, so that none of them is
    /// new.
    pub is_baseline: bool,
    /// Failures that go on.
    pub confirmed: Vec<CheckId>,
    /// Failures that end, each with its check's severity.
    pub resolved: Vec<(CheckId, Severity)>,
    /// Why they end, in the word of `cii.check.resolution`.
    pub reason: &'static str,
    /// Since when the service does not know the user, from now on.
    pub unknown_since: Option<Timestamp>,
    /// What goes into the log.
    pub events: Vec<Event>,
}

/// Decides what an answer changes; nothing when a newer one was taken before. Of
/// checks that `filter` keeps out, no failure opens.
#[must_use]
pub fn on_answer(
    answer: &FailureAnswer,
    known: &AnswerContext,
    filter: &CheckFilter,
) -> Option<AnswerDecision> {
    if known.as_of.is_some_and(|as_of| answer.is_older_than(as_of)) {
        return None;
    }
    Some(match &answer.verdict {
        Verdict::Fails(names) => on_list(answer, names, known, filter),
        Verdict::Unknown => on_unknown(answer, known),
    })
}

fn on_list(
    answer: &FailureAnswer,
    names: &BTreeSet<String>,
    known: &AnswerContext,
    filter: &CheckFilter,
) -> AnswerDecision {
    let is_baseline = known.as_of.is_none();
    let mut decision = AnswerDecision { is_baseline, ..AnswerDecision::default() };
    let failing: BTreeMap<CheckId, CheckName> = names
        .iter()
        .flat_map(|name| meant(name, known))
        .map(|check| (check.id.clone(), check))
        .collect();
    for (id, check) in &failing {
        if known.open.contains_key(id) {
            decision.confirmed.push(id.clone());
        } else if filter.admits_check(id) {
            let found = event::check_found_failing(answer, id, &check.definition, is_baseline);
            decision.events.push(found);
            decision.opened.push(check.clone());
        }
    }
    for (id, failure) in &known.open {
        // A failure that was reported after the question is news to the answer.
        let is_settled =
            !answer.is_older_than(failure.reported_at) && !answer.comes_too_early_for(failure);
        if !failing.contains_key(id) && is_settled {
            resolve(answer, id, failure, NO_LONGER_FAILING, known, &mut decision);
        }
    }
    decision
}

fn on_unknown(answer: &FailureAnswer, known: &AnswerContext) -> AnswerDecision {
    let since = known.unknown_since.unwrap_or(answer.asked_at).min(answer.asked_at);
    let mut decision = AnswerDecision { unknown_since: Some(since), ..AnswerDecision::default() };
    if answer.asked_at - since >= GRACE {
        for (id, failure) in &known.open {
            if !answer.is_older_than(failure.reported_at) {
                resolve(answer, id, failure, "user_unknown", known, &mut decision);
            }
        }
    }
    decision
}

fn resolve(
    answer: &FailureAnswer,
    id: &CheckId,
    failure: &OpenFailure,
    reason: &'static str,
    known: &AnswerContext,
    decision: &mut AnswerDecision,
) {
    let check = known.checks.iter().find(|check| check.id == *id);
    let definition = check
        .map_or_else(|| Arc::new(CheckDefinition::undefined(id)), |check| check.definition.clone());
    decision.events.push(event::check_resolved(answer, id, &definition, failure, reason));
    decision.resolved.push((id.clone(), definition.severity.clone()));
    decision.reason = reason;
}

/// The checks that a text means: the one with this id, else all of this title,
/// else one that was never heard of.
fn meant(name: &str, known: &AnswerContext) -> Vec<CheckName> {
    let Some(id) = CheckId::new(name) else { return Vec::new() };
    if let Some(check) = known.checks.iter().find(|check| check.id == id) {
        return vec![check.clone()];
    }
    let title = fold_title(name);
    let titled: Vec<_> = known
        .checks
        .iter()
        .filter(|check| fold_title(&check.definition.title) == title)
        .cloned()
        .collect();
    if titled.is_empty() {
        let definition = CheckDefinition::undefined(&id).configured(&id, &known.configured);
        return vec![CheckName { definition: Arc::new(definition), id }];
    }
    titled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EventName, Login};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn id(text: &str) -> CheckId {
        CheckId::new(text).unwrap()
    }

    fn answer(verdict: Verdict, second: i64) -> FailureAnswer {
        let login = Login::new("a@example.com").unwrap();
        let settle = chrono::TimeDelta::zero();
        FailureAnswer { login, verdict, asked_at: at(second), answered_at: at(second + 1), settle }
    }

    fn decide(answer: &FailureAnswer, known: &AnswerContext) -> Option<AnswerDecision> {
        on_answer(answer, known, &CheckFilter::default())
    }

    fn fails(names: &[&str]) -> Verdict {
        Verdict::Fails(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn known(open: &[&str]) -> AnswerContext {
        let failure = OpenFailure { reported_at: at(10), opened_at: at(10) };
        let definition = Arc::new(CheckDefinition {
            title: "No MFA".into(),
            ..CheckDefinition::undefined(&id("x"))
        });
        AnswerContext {
            open: open.iter().map(|name| (id(name), failure.clone())).collect(),
            checks: vec![CheckName { id: id("no-mfa"), definition }],
            ..AnswerContext::default()
        }
    }

    #[test]
    fn an_id_and_a_title_mean_the_same_check_and_what_is_neither_is_one_of_its_own() {
        for name in ["no-mfa", "No MFA", "no mfa "] {
            let decision = decide(&answer(fails(&[name]), 20), &known(&["no-mfa"])).unwrap();
            assert_eq!(decision.confirmed, [id("no-mfa")], "{name}");
            assert!(decision.events.is_empty());
        }
        let decision = decide(&answer(fails(&["Brand New"]), 20), &known(&[])).unwrap();
        assert_eq!(decision.opened[0].id, id("Brand New"));
        assert_eq!(decision.events[0].name, EventName::CheckBaseline);
        let known = AnswerContext { as_of: Some(at(10)), ..known(&[]) };
        let decision = decide(&answer(fails(&["Brand New"]), 20), &known).unwrap();
        assert_eq!(decision.events[0].name, EventName::CheckFailed);
    }

    #[test]
    fn what_is_no_longer_listed_is_resolved_unless_reported_since() {
        let decision = decide(&answer(fails(&[]), 20), &known(&["no-mfa"])).unwrap();
        assert_eq!(decision.resolved, [(id("no-mfa"), Severity::default())]);
        assert_eq!(decision.events[0].name, EventName::CheckResolved);
        let decision = decide(&answer(fails(&[]), 10), &known(&["no-mfa"])).unwrap();
        assert_eq!(decision.resolved, []);
    }

    #[test]
    fn an_answer_that_was_asked_for_soon_ends_no_failure_that_was_just_reported() {
        let settle = chrono::TimeDelta::minutes(15);
        for (asked, resolved) in [(10, 0), (20, 0), (10 + 900, 0), (10 + 901, 1)] {
            let soon = FailureAnswer { settle, ..answer(fails(&[]), asked) };
            let decision = decide(&soon, &known(&["no-mfa"])).unwrap();
            assert_eq!(decision.resolved.len(), resolved, "asked at {asked}");
            assert_eq!(soon.as_of(), at(asked - 900));
        }
    }

    #[test]
    fn an_older_answer_than_the_newest_changes_nothing() {
        let known = AnswerContext { as_of: Some(at(30)), ..known(&["no-mfa"]) };
        assert_eq!(decide(&answer(fails(&[]), 20), &known), None);
    }

    #[test]
    fn an_unknown_user_has_a_day_of_grace() {
        let first = decide(&answer(Verdict::Unknown, 100), &known(&["no-mfa"])).unwrap();
        assert_eq!((first.unknown_since, first.resolved.len()), (Some(at(100)), 0));
        let known = AnswerContext { unknown_since: first.unknown_since, ..known(&["no-mfa"]) };
        let later = decide(&answer(Verdict::Unknown, 100 + 86_400), &known).unwrap();
        assert_eq!(later.resolved.len(), 1);
        let reason = later.events[0].attributes["cii.check.resolution"].clone();
        assert_eq!(reason, "user_unknown".into());
    }
}
