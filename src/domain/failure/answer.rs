//! Decides what an answer of the API changes: it opens and ends failures.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{CheckDefinition, CheckFilter, CheckId, Event, Timestamp},
    event,
    exchange::{self, Exchange},
    meaning::{CheckName, Meaning},
    report::{FailureAnswer, OpenFailure, Verdict},
};

/// How long the service may report a user as unknown before the user's failures end.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// The reason for the end of a failure whose user is known and no longer fails the check.
pub const NO_LONGER_FAILING: &str = "no_longer_failing";

/// The stored state that a decision about an answer needs.
#[derive(Debug, Clone, Default)]
pub struct AnswerContext {
    /// The user's open failures.
    pub open: BTreeMap<CheckId, OpenFailure>,
    /// The definitions of those checks.
    pub checks: BTreeMap<CheckId, Arc<CheckDefinition>>,
    /// The meaning of each text in the answer.
    pub meanings: BTreeMap<String, Meaning>,
    /// When the newest recorded answer was requested.
    pub as_of: Option<Timestamp>,
    /// Whether this is the first look at the user's failing checks: no answer and no complete
    /// listing came before.
    pub is_first_look: bool,
    /// Since when the service does not know the user.
    pub unknown_since: Option<Timestamp>,
    /// Since when suspect runs report the user as unknown.
    pub suspect_since: Option<Timestamp>,
    /// Texts of the newest list that could mean one of several checks.
    pub shared_texts: BTreeSet<String>,
    /// The texts that answers have in the place of checks that they listed before.
    pub exchange: Option<Exchange>,
}

/// A failure to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The check.
    pub check: CheckName,
    /// Whether the answer has the check's title instead of its id.
    pub by_title: bool,
    /// Whether it is announced as new.
    pub is_announced: bool,
}

/// The changes that an answer makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerDecision {
    /// Failures to open.
    pub opened: Vec<Opened>,
    /// Failures that continue, each with whether the answer has the check's title.
    pub confirmed: Vec<(CheckId, bool)>,
    /// Failures to end.
    pub resolved: Vec<CheckId>,
    /// Why they end, as `cii.check.resolution` has it.
    pub reason: &'static str,
    /// Since when the service does not know the user, after this answer.
    pub unknown_since: Option<Timestamp>,
    /// Since when suspect runs report the user as unknown.
    pub suspect_since: Option<Timestamp>,
    /// Texts of the answer that could mean one of several checks.
    pub shared_texts: BTreeSet<String>,
    /// The texts that the answer has in the place of checks that it listed before.
    pub exchange: Option<Exchange>,
    /// Events to append to the log.
    pub events: Vec<Event>,
}

/// Decides what an answer changes; none when a newer answer was recorded before. Checks that
/// `filter` rejects change without events.
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
        Verdict::Fails(_) => on_list(answer, known, filter),
        Verdict::Unknown => on_unknown(answer, known, filter),
        Verdict::Suspect => AnswerDecision {
            unknown_since: known.unknown_since,
            suspect_since: known.suspect_since.or(Some(answer.asked_at)),
            shared_texts: known.shared_texts.clone(),
            exchange: known.exchange.clone(),
            ..AnswerDecision::default()
        },
    })
}

fn on_list(answer: &FailureAnswer, known: &AnswerContext, filter: &CheckFilter) -> AnswerDecision {
    let mut decision = AnswerDecision::default();
    let mut failing = BTreeMap::new();
    // A text that several checks can mean opens no failure and ends none.
    let mut undecided = BTreeSet::new();
    for (text, meaning) in &known.meanings {
        match meaning {
            Meaning::Check { check, by_title } => {
                failing.insert(check.id.clone(), (text, check, *by_title));
            }
            Meaning::Shared(checks) => {
                undecided.extend(checks.iter().cloned());
                decision.shared_texts.insert(text.clone());
            }
        }
    }
    let is_listed = |id: &CheckId| failing.contains_key(id) || undecided.contains(id);
    let absent: Vec<(&CheckId, &OpenFailure)> =
        known.open.iter().filter(|(id, _)| !is_listed(id)).collect();
    let exchange = exchange(answer, known, &absent, failing.values().copied());
    let is_pending = |text: &String| exchange.as_ref().is_some_and(|it| it.texts.contains(text));
    for (id, (text, check, by_title)) in failing {
        if known.open.contains_key(&id) {
            decision.confirmed.push((id, by_title));
        } else if !is_pending(text) {
            let is_announced = !known.is_first_look && filter.admits_check(&id);
            if filter.admits_check(&id) {
                let definition = &check.definition;
                let found = event::check_found_failing(answer, &id, definition, is_announced);
                decision.events.push(found);
            }
            decision.opened.push(Opened { check: check.clone(), by_title, is_announced });
        }
    }
    let is_held = |check: i64| exchange.as_ref().is_some_and(|it| it.checks.contains(&check));
    for (id, failure) in absent {
        if !is_held(failure.check) && !answer.is_too_early_for(failure) {
            resolve(answer, id, NO_LONGER_FAILING, known, filter, &mut decision);
        }
    }
    decision.exchange = exchange;
    decision
}

/// The exchange that an answer shows: checks that were listed by title are absent, and texts
/// appeared that no known check explains. After `PATIENCE` it is no longer
/// pending, and absence ends failures.
fn exchange<'a>(
    answer: &FailureAnswer,
    known: &AnswerContext,
    absent: &[(&CheckId, &OpenFailure)],
    failing: impl Iterator<Item = (&'a String, &'a CheckName, bool)>,
) -> Option<Exchange> {
    let gone = absent.iter().filter(|(_, failure)| failure.by_title);
    let checks: BTreeSet<i64> = gone.map(|(_, failure)| failure.check).collect();
    let come =
        failing.filter(|(_, check, _)| check.is_provisional && !known.open.contains_key(&check.id));
    let texts: BTreeSet<String> = come.map(|(text, ..)| text.clone()).collect();
    if checks.is_empty() || texts.is_empty() {
        return None;
    }
    let since = known.exchange.as_ref().map_or(answer.asked_at, |before| before.since);
    (answer.asked_at - since < exchange::PATIENCE).then_some(Exchange {
        since,
        last_at: answer.asked_at,
        texts,
        checks,
    })
}

fn on_unknown(
    answer: &FailureAnswer,
    known: &AnswerContext,
    filter: &CheckFilter,
) -> AnswerDecision {
    let known_since = known.unknown_since.or(known.suspect_since).unwrap_or(answer.asked_at);
    let since = known_since.min(answer.asked_at);
    let mut decision = AnswerDecision {
        unknown_since: Some(since),
        shared_texts: known.shared_texts.clone(),
        exchange: known.exchange.clone(),
        ..AnswerDecision::default()
    };
    // The service knew the user when it sent the delivery, so the grace begins after that.
    let named_at = known.open.values().filter_map(|failure| failure.named_at).max();
    if answer.asked_at - named_at.map_or(since, |named_at| named_at.max(since)) >= GRACE {
        decision.shared_texts.clear();
        decision.exchange = None;
        for id in known.open.keys() {
            resolve(answer, id, "user_unknown", known, filter, &mut decision);
        }
    }
    decision
}

fn resolve(
    answer: &FailureAnswer,
    id: &CheckId,
    reason: &'static str,
    known: &AnswerContext,
    filter: &CheckFilter,
    decision: &mut AnswerDecision,
) {
    let Some(failure) = known.open.get(id) else { return };
    if filter.admits_check(id) {
        let provisional = || CheckName::provisional(id.clone()).definition;
        let definition = known.checks.get(id).cloned().unwrap_or_else(provisional);
        decision.events.push(event::check_resolved(answer, id, &definition, failure, reason));
    }
    decision.resolved.push(id.clone());
    decision.reason = reason;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConfiguredChecks, EventName, Login, failure::Titled, failure::meaning};

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

    /// The state of a user with these open failures, for an answer with these texts. `no-mfa` is
    /// the check with the title `No MFA`, and was listed by it.
    fn known(open: &[&str], texts: &[&str]) -> AnswerContext {
        let check = |id: &CheckId| {
            let is_known = id.as_str() == "no-mfa";
            is_known
                .then(|| CheckName { is_provisional: false, ..CheckName::provisional(id.clone()) })
        };
        let meaning = |text: &str| {
            let is_title = text.trim().eq_ignore_ascii_case("no mfa");
            let current = is_title.then(|| id("no-mfa")).into_iter().collect();
            meaning(
                text,
                &Titled { current, ..Titled::default() },
                &ConfiguredChecks::default(),
                check,
            )
            .unwrap()
        };
        let failure = |number, name: &str| OpenFailure {
            check: number,
            opened_at: at(10),
            named_at: Some(at(10)),
            by_title: name == "no-mfa",
            is_announced: true,
        };
        AnswerContext {
            open: (1..).zip(open).map(|(number, name)| (id(name), failure(number, name))).collect(),
            meanings: texts.iter().map(|&text| (text.to_owned(), meaning(text))).collect(),
            ..AnswerContext::default()
        }
    }

    /// Decides on an answer with these texts, requested at this second.
    fn list(second: i64, open: &[&str], texts: &[&str]) -> AnswerDecision {
        let verdict = Verdict::Fails(BTreeSet::new());
        on_answer(&answer(verdict, second), &known(open, texts), &CheckFilter::default()).unwrap()
    }

    fn decide(answer: &FailureAnswer, known: &AnswerContext) -> AnswerDecision {
        on_answer(answer, known, &CheckFilter::default()).unwrap()
    }

    fn fails() -> Verdict {
        Verdict::Fails(BTreeSet::new())
    }

    #[test]
    fn an_id_and_a_title_mean_the_same_check_and_what_is_neither_is_one_of_its_own() {
        for (text, by_title) in [("no-mfa", false), ("No MFA", true), ("no mfa ", true)] {
            let decision = list(20, &["no-mfa"], &[text]);
            assert_eq!(decision.confirmed, [(id("no-mfa"), by_title)], "{text}");
            assert!(decision.events.is_empty());
        }
        let decision = list(20, &[], &["Brand New"]);
        assert_eq!(decision.opened[0].check.id, id("Brand New"));
        assert_eq!(decision.events[0].name, EventName::CheckFailed);
    }

    #[test]
    fn the_first_look_announces_nothing() {
        let known = AnswerContext { is_first_look: true, ..known(&[], &["no-mfa"]) };
        let decision = decide(&answer(fails(), 20), &known);
        assert!(!decision.opened[0].is_announced);
        assert_eq!(decision.events[0].name, EventName::CheckBaseline);
    }

    #[test]
    fn a_check_that_is_filtered_out_opens_and_ends_in_silence() {
        let filter = CheckFilter::new([id("other")]);
        let opened = on_answer(&answer(fails(), 20), &known(&[], &["no-mfa"]), &filter).unwrap();
        assert_eq!((opened.opened.len(), opened.opened[0].is_announced), (1, false));
        let ended = on_answer(&answer(fails(), 20), &known(&["no-mfa"], &[]), &filter).unwrap();
        assert_eq!(ended.resolved, [id("no-mfa")]);
        assert_eq!((opened.events, ended.events), (vec![], vec![]));
    }

    #[test]
    fn what_is_no_longer_listed_is_resolved_unless_named_since() {
        let decision = list(20, &["no-mfa"], &[]);
        assert_eq!(decision.resolved, [id("no-mfa")]);
        assert_eq!(decision.events[0].name, EventName::CheckResolved);
        assert_eq!(decision.events[0].attributes.get("cii.check.announced"), Some(&true.into()));
        assert_eq!(list(10, &["no-mfa"], &[]).resolved, []);
    }

    #[test]
    fn no_answer_ends_what_was_named_a_moment_ago() {
        let settle = chrono::TimeDelta::minutes(15);
        for (asked, resolved) in [(10, 0), (20, 0), (10 + 899, 0), (10 + 900, 1)] {
            let soon = FailureAnswer { settle, ..answer(fails(), asked) };
            let decision = decide(&soon, &known(&["no-mfa"], &[]));
            assert_eq!(decision.resolved.len(), resolved, "asked at {asked}");
        }
        // A failure that only answers reported ends with the next answer without it.
        let mut listed = known(&["no-mfa"], &[]);
        listed.open.get_mut(&id("no-mfa")).unwrap().named_at = None;
        let soon = FailureAnswer { settle, ..answer(fails(), 20) };
        assert_eq!(decide(&soon, &listed).resolved.len(), 1);
    }

    #[test]
    fn an_older_answer_than_the_newest_changes_nothing() {
        let known = AnswerContext { as_of: Some(at(30)), ..known(&["no-mfa"], &[]) };
        assert_eq!(on_answer(&answer(fails(), 20), &known, &CheckFilter::default()), None);
    }

    #[test]
    fn a_title_that_two_checks_share_opens_and_ends_nothing() {
        let shared = Meaning::Shared(BTreeSet::from([id("no-mfa"), id("other")]));
        let mut known = known(&["no-mfa"], &[]);
        known.meanings.insert("No MFA".into(), shared);
        let decision = decide(&answer(fails(), 20), &known);
        assert_eq!((decision.opened, decision.resolved), (vec![], vec![]));
        assert_eq!(decision.shared_texts, BTreeSet::from(["No MFA".to_owned()]));
    }

    #[test]
    fn a_text_in_the_place_of_a_title_waits_a_day() {
        let decision = list(20, &["no-mfa"], &["MFA Missing"]);
        assert_eq!((decision.opened, decision.resolved), (vec![], vec![]));
        let pending = decision.exchange.unwrap();
        assert_eq!((pending.since, pending.last_at), (at(20), at(20)));
        for (second, is_over) in [(86_400, false), (86_420, true)] {
            let known = AnswerContext {
                exchange: Some(pending.clone()),
                ..known(&["no-mfa"], &["MFA Missing"])
            };
            let decision = decide(&answer(fails(), second), &known);
            assert_eq!(decision.exchange.is_none(), is_over);
            let changed = (decision.opened.len(), decision.resolved.len());
            assert_eq!(changed, if is_over { (1, 1) } else { (0, 0) });
        }
        // A text that is explained or was there before replaces no check.
        assert_eq!(list(20, &["other"], &["MFA Missing"]).resolved, [id("other")]);
        let decision = list(20, &["no-mfa", "MFA Missing"], &["MFA Missing"]);
        assert_eq!(decision.resolved, [id("no-mfa")]);
    }

    #[test]
    fn an_unknown_user_has_a_day_of_grace_which_a_delivery_renews() {
        let unknown = |second| answer(Verdict::Unknown, second);
        let shared_texts = BTreeSet::from(["Shared".to_owned()]);
        let known = AnswerContext { shared_texts, ..known(&["no-mfa"], &[]) };
        let first = decide(&unknown(100), &known);
        assert_eq!((first.unknown_since, first.resolved.len()), (Some(at(100)), 0));
        assert_eq!(first.shared_texts, known.shared_texts);
        let known = AnswerContext { unknown_since: first.unknown_since, ..known };
        let later = decide(&unknown(100 + 86_400), &known);
        assert_eq!((later.resolved.len(), later.shared_texts.len()), (1, 0));
        let reason = later.events[0].attributes.get("cii.check.resolution").cloned();
        assert_eq!(reason, Some("user_unknown".into()));
        let mut named = known;
        named.open.get_mut(&id("no-mfa")).unwrap().named_at = Some(at(200));
        assert_eq!(decide(&unknown(100 + 86_400), &named).resolved.len(), 0);
        assert_eq!(decide(&unknown(200 + 86_400), &named).resolved.len(), 1);
    }

    #[test]
    fn a_suspect_answer_ends_nothing_and_is_remembered() {
        let shared_texts = BTreeSet::from(["Shared".to_owned()]);
        let known = AnswerContext {
            unknown_since: Some(at(5)),
            shared_texts: shared_texts.clone(),
            ..known(&["no-mfa"], &[])
        };
        let decision = decide(&answer(Verdict::Suspect, 200_000), &known);
        assert_eq!(decision.resolved, []);
        assert_eq!(decision.shared_texts, shared_texts);
        assert_eq!(decision.unknown_since, Some(at(5)));
        assert_eq!(decision.suspect_since, Some(at(200_000)));
    }
}
