//! Events about checks and about the deliveries that name them.

use std::sync::Arc;

use chrono::SecondsFormat;

use super::report::{FailureAnswer, OpenFailure};
use crate::domain::{
    AttributeValue, Attributes, CheckDefinition, CheckId, Delivery, Event, EventName, FailingUser,
    Timestamp, event::key,
};

/// What all events of one delivery have in common, created once.
#[derive(Debug, Clone)]
pub(super) struct DeliveryContext<'a> {
    delivery: &'a Delivery,
    check: Option<(&'a CheckId, &'a CheckDefinition)>,
    shared: Arc<Attributes>,
    observed_at: Timestamp,
}

impl<'a> DeliveryContext<'a> {
    /// The context of a delivery, and of its check as defined after it.
    #[must_use]
    pub(super) fn new(
        delivery: &'a Delivery,
        check: Option<(&'a CheckId, &'a CheckDefinition)>,
        observed_at: Timestamp,
    ) -> Self {
        let mut shared = Attributes::new();
        let mut set = |key: &str, value: Option<AttributeValue>| {
            if let Some(value) = value {
                shared.insert(key.to_owned(), value);
            }
        };
        set(key::DELIVERY_ID, Some((&delivery.id).into()));
        set(key::DELIVERY_DETAIL_ID, delivery.detail_id.as_ref().map(Into::into));
        set(key::DELIVERY_TYPE, Some((&delivery.detail_type).into()));
        set(key::DELIVERY_SOURCE, delivery.source.as_ref().map(Into::into));
        set(key::TENANT_ID, delivery.tenant_id().map(|id| id.to_string().into()));
        let sent_at = delivery.sent_at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        set(key::DELIVERY_SENT_AT, sent_at.map(Into::into));
        set(key::CLOUD_REGION, delivery.region.as_ref().map(Into::into));
        set(key::CLOUD_ACCOUNT, delivery.account.as_ref().map(Into::into));
        if let Some((check_id, check)) = check {
            set(key::CHECK_ID, Some(check_id.as_str().into()));
            set(key::CHECK_TITLE, Some((&check.title).into()));
            set(key::CHECK_SEVERITY, check.severity.text().map(Into::into));
            set(key::CHECK_FRAMEWORKS, delivery.frameworks.clone());
        }
        Self { delivery, check, shared: Arc::new(shared), observed_at }
    }

    fn event(&self, name: EventName, body: impl Into<Option<String>>) -> Event {
        let mut event = Event::new(name, self.delivery.happened_at(), self.observed_at, body);
        event.of_delivery = Some(self.shared.clone());
        if let Some((check_id, check)) = self.check {
            event.check_id = Some(check_id.clone());
            event.severity = check.severity.clone();
        }
        event
    }
}

/// Description and advice of a check as attributes, for the event of a delivery.
#[must_use]
pub fn check_words(description: Vec<String>, recommended_actions: Vec<String>) -> Attributes {
    Attributes::from([
        (key::CHECK_DESCRIPTION.to_owned(), description.into()),
        (key::CHECK_RECOMMENDED_ACTIONS.to_owned(), recommended_actions.into()),
    ])
}

/// `cii.check.failed`: a user newly fails the check of a delivery, or a delivery names the user for
/// the first time.
pub(super) fn check_failed(context: &DeliveryContext<'_>, user: &FailingUser) -> Event {
    let mut event = context.event(EventName::CheckFailed, None);
    event.set_login(&user.login);
    event.set_if_some(key::CHECK_EXPLANATION, user.explanation.as_ref());
    event
}

/// `cii.check.failed`: the API lists a check for a user that no delivery named. Checks that the
/// first look at a user finds are the baseline and get another event.
pub(super) fn check_found_failing(
    answer: &FailureAnswer,
    check_id: &CheckId,
    check: &CheckDefinition,
    is_new: bool,
) -> Event {
    let body = format!("{} is found to fail the check \"{}\"", answer.login, check.title);
    let name = if is_new { EventName::CheckFailed } else { EventName::CheckBaseline };
    answer_event(name, answer, check_id, check, body)
}

/// `cii.check.resolved`: a user no longer fails a check.
pub(super) fn check_resolved(
    answer: &FailureAnswer,
    check_id: &CheckId,
    check: &CheckDefinition,
    failure: &OpenFailure,
    reason: &'static str,
) -> Event {
    let body = match reason {
        "user_unknown" => format!(
            "{} is no longer known to the service, so no longer counts as failing \"{}\"",
            answer.login, check.title
        ),
        _ => format!("{} no longer fails the check \"{}\"", answer.login, check.title),
    };
    let mut event = answer_event(EventName::CheckResolved, answer, check_id, check, body);
    event.set(key::CHECK_RESOLUTION, reason);
    event.set(key::CHECK_ANNOUNCED, failure.is_announced);
    let seconds = (answer.asked_at - failure.opened_at).num_seconds().max(0);
    event.set(key::CHECK_FAILED_FOR, seconds);
    event
}

/// `cii.check.identified`: a check that was known by a text of answers alone was identified as this
/// one.
#[must_use]
pub fn check_identified(
    former: &CheckId,
    check_id: &CheckId,
    check: &CheckDefinition,
    at: Timestamp,
) -> Event {
    let body = format!("The check known as \"{former}\" is \"{}\" ({check_id})", check.title);
    let mut event = Event::new(EventName::CheckIdentified, at, at, body);
    set_check(&mut event, check_id, check);
    event.set(key::CHECK_FORMER_ID, former.as_str());
    event
}

fn answer_event(
    name: EventName,
    answer: &FailureAnswer,
    check_id: &CheckId,
    check: &CheckDefinition,
    body: String,
) -> Event {
    let mut event = Event::new(name, answer.asked_at, answer.answered_at, body);
    set_check(&mut event, check_id, check);
    event.set_login(&answer.login);
    event
}

/// The number of named users of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NamedUsers {
    /// Users whose failure opens.
    pub newly_failing: usize,
    /// Users who were known to fail.
    pub known: usize,
    /// Users whom a more recent API answer cleared.
    pub cleared: usize,
    /// Users whose failure is not opened because the delivery is too old.
    pub too_old: usize,
}

/// `cii.check.delivery`: a delivery was received, with all that it says of its check.
pub(super) fn delivery_received(context: &DeliveryContext<'_>, users: NamedUsers) -> Event {
    let delivery = context.delivery;
    let named = delivery.failing.len();
    let body = match context.check {
        Some((_, check)) => format!(
            "Webhook delivery: {named} {} the check \"{}\", {} of them newly",
            if named == 1 { "user fails" } else { "users fail" },
            check.title,
            users.newly_failing
        ),
        None if named > 0 => format!(
            "Webhook delivery that names {named} {} and no check",
            if named == 1 { "user" } else { "users" }
        ),
        None => format!("Webhook delivery of the type {:?}", delivery.detail_type),
    };
    let mut event = context.event(EventName::CheckDelivery, body);
    event.of_check = context.check.map(|(_, check)| {
        let (description, actions) = (&check.description, &check.recommended_actions);
        Arc::new(check_words(description.clone(), actions.clone()))
    });
    if context.check.is_none() {
        event.set_if_some(key::CHECK_FRAMEWORKS, delivery.frameworks.clone());
    }
    event.set_if_some(key::CHECK_EXPLANATION, delivery.explanation.as_ref());
    event.set(key::DELIVERY_USERS, named);
    event.set(key::DELIVERY_NEW_USERS, users.newly_failing);
    event.set(key::DELIVERY_KNOWN_USERS, users.known);
    event.set(key::DELIVERY_CLEARED_USERS, users.cleared);
    event.set(key::DELIVERY_SKIPPED_LOGINS, delivery.skipped.count());
    set_reading_notes(&mut event, delivery);
    event
}

/// `cii.webhook.test`: the console's test message was received.
pub(super) fn test_received(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "The webhook's test message came in".to_owned();
    let context = DeliveryContext::new(delivery, None, observed_at);
    let mut event = context.event(EventName::WebhookTest, body);
    set_reading_notes(&mut event, delivery);
    event
}

/// The event of a delivery whose check the operator's filter rejects.
#[must_use]
pub fn delivery_filtered(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "A webhook delivery was filtered out by its check".to_owned();
    DeliveryContext::new(delivery, None, observed_at).event(EventName::DeliveryFiltered, body)
}

/// Notes are only on the event of the delivery: it may name many users.
fn set_reading_notes(event: &mut Event, delivery: &Delivery) {
    if !delivery.notes.is_empty() {
        event.set(key::DELIVERY_NOTES, delivery.notes.clone());
    }
}

fn set_check(event: &mut Event, check_id: &CheckId, check: &CheckDefinition) {
    event.check_id = Some(check_id.clone());
    event.severity = check.severity.clone();
    event.set(key::CHECK_ID, check_id.as_str());
    event.set(key::CHECK_TITLE, &check.title);
    event.set_if_some(key::CHECK_SEVERITY, check.severity.text());
}
