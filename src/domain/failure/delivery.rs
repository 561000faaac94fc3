//! What a delivery changes: the decision that opens failures.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    super::{
        CheckDefinition, ConfiguredChecks, Delivery, DeliveryKind, Event, FailingUser, Login,
        Timestamp, Unchanged,
    },
    event::{self, DeliveryContext, NamedUsers},
};

/// What is known of a delivery's check before the delivery.
#[derive(Debug, Clone, Default)]
pub struct CheckContext {
    /// Its definition, unless the check was never heard of.
    pub definition: Option<Arc<CheckDefinition>>,
    /// What the operator says of checks.
    pub configured: Arc<ConfiguredChecks>,
    /// Those of the named users who are known to fail it already.
    pub open: BTreeSet<Login>,
    /// Named users whom a more recent API answer cleared; the delivery is stale for
    /// them.
    pub acquitted: BTreeSet<Login>,
}

/// What a delivery changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryDecision {
    /// The check's definition from now on, when it is about a check.
    pub definition: Option<Arc<CheckDefinition>>,
    /// The users whose failure opens.
    pub opened: Vec<Login>,
    /// Why no failure opens, when none does; a test message needs no reason.
    pub unchanged: Option<Unchanged>,
    /// What goes into the log.
    pub events: Vec<Event>,
}

/// Decides what a delivery changes, given what is known of its check.
///
/// A user who is known to fail already opens no second failure: the service
/// names a user again after a change of its own that nobody outside sees.
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
            unchanged: None,
            events: vec![event::test_received(delivery, observed_at)],
        };
    }
    let Some(check) = &delivery.check else {
        let users = NamedUsers::default();
        return DeliveryDecision {
            definition: None,
            opened: Vec::new(),
            unchanged: why_unchanged(delivery, users),
            events: vec![event::delivery_received(
                &DeliveryContext::new(delivery, None, observed_at),
                users,
            )],
        };
    };
    let reported = &check.definition;
    let definition = known.definition.as_ref().map_or_else(
        || CheckDefinition::undefined(&check.id).merged(reported),
        |known| known.merged(reported),
    );
    let definition = Arc::new(definition.configured(&check.id, &known.configured));
    let is_news = |user: &&FailingUser| {
        !known.open.contains(&user.login) && !known.acquitted.contains(&user.login)
    };
    let newly: Vec<&FailingUser> = delivery.failing.iter().filter(is_news).collect();
    let users = NamedUsers {
        newly_failing: newly.len(),
        known: known.open.len(),
        cleared: known.acquitted.len(),
    };
    let context = DeliveryContext::new(delivery, Some((&check.id, &definition)), observed_at);
    let mut events = vec![event::delivery_received(&context, users)];
    events.extend(newly.iter().map(|user| event::check_failed(&context, user)));
    DeliveryDecision {
        opened: newly.into_iter().map(|user| user.login.clone()).collect(),
        definition: Some(definition),
        unchanged: why_unchanged(delivery, users),
        events,
    }
}

fn why_unchanged(delivery: &Delivery, users: NamedUsers) -> Option<Unchanged> {
    match (&delivery.check, delivery.failing.len()) {
        (None, 0) => Some(Unchanged::UnknownType),
        (None, _) => Some(Unchanged::NoCheck),
        (Some(_), 0) => Some(Unchanged::NoUser { skipped: delivery.skipped.count() }),
        (Some(_), _) if users.newly_failing == 0 => {
            Some(Unchanged::NothingNew { known: users.known, cleared: users.cleared })
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
                .dated(title != "no-mfa", at(published)),
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
            open: BTreeSet::from([Login::new("a").unwrap()]),
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
                open: logins(open),
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
        *definition = definition.clone().dated(true, at(5));
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
        let hours = |hours: i64| hours * 3600;
        let now = at(hours(100));
        let reported = |published| delivery(published, "No MFA", &[]).reported_at(now);
        assert_eq!(reported(hours(60)), at(hours(60)));
        assert_eq!(reported(hours(40)), now, "older than any delivery on its way");
        assert_eq!(reported(hours(101)), now, "from the future");
    }

    #[test]
    fn a_test_message_opens_nothing_even_when_it_names_users() {
        let test = Delivery { kind: DeliveryKind::Test, ..delivery(5, "No MFA", &["a"]) };
        let decision = on_delivery(&test, &CheckContext::default(), at(9));
        assert_eq!((decision.opened, decision.definition), (vec![], None));
        assert_eq!(decision.events[0].name, EventName::WebhookTest);
    }
}
