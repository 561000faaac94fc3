//! Decides what a delivery changes: it opens failures.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    super::{
        CheckDefinition, ConfiguredChecks, Delivery, DeliveryKind, Event, FailingUser, Login,
        Timestamp, Unchanged,
    },
    event::{self, DeliveryContext, NamedUsers},
};

/// The stored state that a decision about a delivery needs.
#[derive(Debug, Clone, Default)]
pub struct CheckContext {
    /// The check's definition; none when the check is new.
    pub definition: Option<Arc<CheckDefinition>>,
    /// The operator's words for checks.
    pub configured: Arc<ConfiguredChecks>,
    /// Named users whose failure is open, each with whether it was announced.
    pub open: BTreeMap<Login, bool>,
    /// Named users whom a more recent API answer cleared; the delivery is stale for
    /// them.
    pub acquitted: BTreeSet<Login>,
    /// Whether the exporter polls an API. Its answers show which failures of an old delivery are
    /// open.
    pub has_answers: bool,
}

impl CheckContext {
    /// Users whose failure is open and was announced: the delivery is no news for them.
    #[must_use]
    pub fn known_logins(&self) -> BTreeSet<Login> {
        let announced = self.open.iter().filter(|(_, is_announced)| **is_announced);
        announced.map(|(login, _)| login.clone()).collect()
    }
}

/// The changes that a delivery makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryDecision {
    /// The check's definition after the delivery; none when it is about no check.
    pub definition: Option<Arc<CheckDefinition>>,
    /// Users whose failure opens.
    pub opened: Vec<Login>,
    /// Users whose failure was open and is announced now.
    pub announced: Vec<Login>,
    /// Why no failure opens; none when one does, and for a test message.
    pub unchanged: Option<Unchanged>,
    /// Events to append to the log.
    pub events: Vec<Event>,
}

/// Decides what a delivery changes, given the state of its check.
///
/// A user whose failure is open gets no second one: the service names a user again after internal
/// changes of its own. A failure that was never announced is announced now. A delivery that is too
/// old to still be in transit opens no failure: answers since then show what is open.
#[must_use]
pub fn on_delivery(
    delivery: &Delivery,
    known: &CheckContext,
    observed_at: Timestamp,
) -> DeliveryDecision {
    if delivery.kind == DeliveryKind::Test {
        return DeliveryDecision {
            definition: None,
            opened: Vec::new(),
            announced: Vec::new(),
            unchanged: None,
            events: vec![event::test_received(delivery, observed_at)],
        };
    }
    let Some(check) = &delivery.check else {
        let users = NamedUsers::default();
        return DeliveryDecision {
            definition: None,
            opened: Vec::new(),
            announced: Vec::new(),
            unchanged: unchanged_reason(delivery, users),
            events: vec![event::delivery_received(
                &DeliveryContext::new(delivery, None, observed_at),
                users,
            )],
        };
    };
    let reported = &check.definition;
    let definition = known.definition.as_ref().map_or_else(
        || CheckDefinition::undefined(&check.id).merge(reported),
        |known| known.merge(reported),
    );
    let definition = Arc::new(definition.with_configured_words(&check.id, &known.configured));
    let is_old = delivery.is_old(delivery.received_at) && known.has_answers;
    let is_stranger = |user: &FailingUser| {
        !known.open.contains_key(&user.login) && !known.acquitted.contains(&user.login)
    };
    let is_untold = |user: &FailingUser| known.open.get(&user.login) == Some(&false);
    let opens = |user: &FailingUser| is_stranger(user) && !is_old;
    let too_old = delivery.failing.iter().filter(|user| is_stranger(user) && is_old).count();
    let logins = |is_one: &dyn Fn(&FailingUser) -> bool| -> Vec<Login> {
        let users = delivery.failing.iter().filter(|user| is_one(user));
        users.map(|user| user.login.clone()).collect()
    };
    let (opened, announced) = (logins(&opens), logins(&is_untold));
    let users = NamedUsers {
        newly_failing: opened.len() + announced.len(),
        known: known.open.len() - announced.len(),
        cleared: known.acquitted.len(),
        too_old,
    };
    let context = DeliveryContext::new(delivery, Some((&check.id, &definition)), observed_at);
    let mut events = Vec::with_capacity(1 + users.newly_failing);
    events.push(event::delivery_received(&context, users));
    let newly = delivery.failing.iter().filter(|user| opens(user) || is_untold(user));
    events.extend(newly.map(|user| event::check_failed(&context, user)));
    let unchanged = unchanged_reason(delivery, users);
    DeliveryDecision { opened, announced, definition: Some(definition), unchanged, events }
}

fn unchanged_reason(delivery: &Delivery, users: NamedUsers) -> Option<Unchanged> {
    match (&delivery.check, delivery.failing.len()) {
        (None, 0) => Some(Unchanged::UnknownType),
        (None, _) => Some(Unchanged::NoCheck),
        (Some(_), 0) => Some(Unchanged::NoUser { skipped: delivery.skipped.count() }),
        (Some(_), _) if users.newly_failing == 0 => {
            let NamedUsers { known, cleared, too_old, .. } = users;
            Some(Unchanged::NothingNew { known, cleared, too_old })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckId, EventName, ReportedCheck, Severity};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn delivery(published: i64, title: &str, logins: &[&str]) -> Delivery {
        Delivery {
            id: "d".into(),
            kind: DeliveryKind::FailedCheck,
            detail_type: "FAILED_CHECK".into(),
            received_at: at(9),
            published_at: Some(at(published)),
            check: Some(ReportedCheck {
                id: CheckId::new("no-mfa").unwrap(),
                definition: CheckDefinition {
                    title: title.into(),
                    severity: Severity::new(Some("high")),
                    ..CheckDefinition::undefined(&CheckId::new("no-mfa").unwrap())
                }
                .with_dates(title != "no-mfa", at(published)),
            }),
            failing: logins
                .iter()
                .map(|login| FailingUser { login: Login::new(login).unwrap(), explanation: None })
                .collect(),
            ..Delivery::default()
        }
    }

    #[test]
    fn only_users_not_known_to_fail_open_a_failure() {
        let known = CheckContext {
            open: BTreeMap::from([(Login::new("a").unwrap(), true)]),
            ..CheckContext::default()
        };
        let decision = on_delivery(&delivery(5, "No MFA", &["a", "b"]), &known, at(9));
        assert_eq!(decision.opened, [Login::new("b").unwrap()]);
        let names: Vec<_> = decision.events.iter().map(|event| event.name).collect();
        assert_eq!(names, [EventName::CheckDelivery, EventName::CheckFailed]);
        assert_eq!(
            (decision.events[1].happened_at, decision.events[1].observed_at),
            (at(5), at(9))
        );
    }

    #[test]
    fn a_delivery_that_opens_nothing_says_why() {
        let logins = |names: &[&str]| -> BTreeSet<_> {
            names.iter().map(|name| Login::new(name).unwrap()).collect()
        };
        let why = |delivery: &Delivery, open: &[&str], acquitted: &[&str]| {
            let known = CheckContext {
                open: logins(open).into_iter().map(|login| (login, true)).collect(),
                acquitted: logins(acquitted),
                ..CheckContext::default()
            };
            on_delivery(delivery, &known, at(9)).unchanged.map(|why| why.to_string())
        };
        let both = delivery(5, "No MFA", &["a", "b"]);
        let no_check = Delivery { check: None, ..both.clone() };
        let mut unusable = delivery(5, "No MFA", &[]);
        unusable.skipped.add("empty");
        for (delivery, open, acquitted, expected) in [
            (&both, &["a"][..], &[][..], None),
            (&both, &["a", "b"], &[], Some("every named user is known to fail already")),
            (&both, &[], &["a", "b"], Some("newer than the delivery cleared every named user")),
            (&both, &["a"], &["b"], Some("known to fail already: 1; cleared")),
            (&no_check, &[], &[], Some("names no check")),
            (&delivery(5, "No MFA", &[]), &[], &[], Some("names no user")),
            (&unusable, &[], &[], Some("cannot be used: 1")),
            (&Delivery::default(), &[], &[], Some("its type is not known")),
        ] {
            let told = why(delivery, open, acquitted);
            assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
            assert!(expected.is_none_or(|text| told.as_ref().unwrap().contains(text)), "{told:?}");
        }
    }

    #[test]
    fn the_newest_words_hold_whatever_the_order() {
        let old = delivery(5, "Old title", &[]);
        let new = delivery(6, "New title", &[]);
        for (first, second) in [(&old, &new), (&new, &old)] {
            let known = CheckContext {
                definition: on_delivery(first, &CheckContext::default(), at(9)).definition,
                ..CheckContext::default()
            };
            let definition = on_delivery(second, &known, at(9)).definition.unwrap();
            assert_eq!(definition.title, "New title");
        }
    }

    #[test]
    fn words_that_are_not_told_stay() {
        let mut told = delivery(5, "Title", &[]);
        let definition = &mut told.check.as_mut().unwrap().definition;
        definition.description = vec!["D".into()];
        definition.recommended_actions = vec!["R".into()];
        *definition = definition.clone().with_dates(true, at(5));
        let known = CheckContext {
            definition: on_delivery(&told, &CheckContext::default(), at(9)).definition,
            ..CheckContext::default()
        };
        let mut untold = delivery(6, "no-mfa", &[]);
        let check = untold.check.as_mut().unwrap();
        check.definition = CheckDefinition::undefined(&check.id);
        let kept = on_delivery(&untold, &known, at(9)).definition.unwrap();
        assert_eq!(Some(kept), known.definition);
    }

    #[test]
    fn only_a_plausible_time_counts_against_answers() {
        let now = at(100);
        let reported = |published| delivery(published, "No MFA", &[]).reported_at(now);
        assert_eq!(reported(60), at(60));
        assert_eq!(reported(101), now, "from the future");
    }

    #[test]
    fn a_failure_that_was_never_told_as_new_is_told_once() {
        let known = |is_announced| CheckContext {
            open: BTreeMap::from([(Login::new("a").unwrap(), is_announced)]),
            ..CheckContext::default()
        };
        let delivery = delivery(5, "No MFA", &["a"]);
        let first = on_delivery(&delivery, &known(false), at(9));
        assert_eq!((first.opened.len(), first.announced.len(), first.events.len()), (0, 1, 2));
        assert_eq!(first.unchanged, None);
        let second = on_delivery(&delivery, &known(true), at(9));
        assert_eq!((second.announced.len(), second.events.len()), (0, 1));
    }

    #[test]
    fn what_is_old_opens_only_where_no_answer_could_tell() {
        let now = at(3600 * 49);
        let old = Delivery { received_at: now, ..delivery(5, "No MFA", &["a"]) };
        let known = |has_answers| CheckContext { has_answers, ..CheckContext::default() };
        assert_eq!(on_delivery(&old, &known(false), now).opened.len(), 1);
        let decision = on_delivery(&old, &known(true), now);
        assert_eq!(decision.opened, []);
        let why = decision.unchanged.unwrap().to_string();
        assert!(why.contains("more than 48 hours"), "{why}");
    }

    #[test]
    fn a_test_message_opens_nothing_even_when_it_names_users() {
        let test = Delivery { kind: DeliveryKind::Test, ..delivery(5, "No MFA", &["a"]) };
        let decision = on_delivery(&test, &CheckContext::default(), at(9));
        assert_eq!((decision.opened, decision.definition), (vec![], None));
        assert_eq!(decision.events[0].name, EventName::WebhookTest);
    }
}
