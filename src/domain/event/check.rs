//! Events about checks and the deliveries that tell of them.

use chrono::SecondsFormat;

use super::{Event, EventName, key};
use crate::domain::{
    CheckDefinition, CheckId, Delivery, FailingUser, Timestamp,
    failure::{FailureAnswer, OpenFailure},
};

/// `cii.check.failed`: a user newly fails a check.
#[must_use]
pub fn check_failed(
    delivery: &Delivery,
    check_id: &CheckId,
    check: &CheckDefinition,
    user: &FailingUser,
    observed_at: Timestamp,
) -> Event {
    let body = format!("{} newly fails the check \"{}\"", user.login, check.title);
    let mut event = from_delivery(EventName::CheckFailed, delivery, observed_at, body);
    about_check(&mut event, check_id, check);
    event.about_login(&user.login);
    event.set_some(key::CHECK_EXPLANATION, user.explanation.as_ref());
    event.set_some(key::CHECK_FRAMEWORKS, delivery.frameworks.clone());
    event
}

/// `cii.check.failed`: the API lists a check for a user that no delivery told of.
/// What the first answer about a user lists is the baseline, and nothing new.
#[must_use]
pub fn check_found_failing(
    answer: &FailureAnswer,
    check_id: &CheckId,
    check: &CheckDefinition,
    is_baseline: bool,
) -> Event {
    let body = format!("{} is found to fail the check \"{}\"", answer.login, check.title);
    let name = if is_baseline { EventName::CheckBaseline } else { EventName::CheckFailed };
    from_answer(name, answer, check_id, check, body)
}

/// `cii.check.resolved`: a user fails a check no longer.
#[must_use]
pub fn check_resolved(
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
    let mut event = from_answer(EventName::CheckResolved, answer, check_id, check, body);
    event.set(key::CHECK_RESOLUTION, reason);
    let seconds = (answer.asked_at - failure.opened_at).num_seconds().max(0);
    event.set(key::CHECK_FAILED_FOR, seconds);
    event
}

fn from_answer(
    name: EventName,
    answer: &FailureAnswer,
    check_id: &CheckId,
    check: &CheckDefinition,
    body: String,
) -> Event {
    let mut event = Event::new(name, answer.asked_at, answer.answered_at, body);
    about_check(&mut event, check_id, check);
    event.about_login(&answer.login);
    event
}

/// How many of the users that a delivery names are of which sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NamedUsers {
    /// Their failure opens.
    pub newly_failing: usize,
    /// They were known to fail already.
    pub known: usize,
    /// An API answer newer than the delivery cleared them.
    pub cleared: usize,
}

/// `cii.check.delivery`: a delivery came in, with all that it says of its check.
#[must_use]
pub fn delivery_received(
    delivery: &Delivery,
    check: Option<(&CheckId, &CheckDefinition)>,
    users: NamedUsers,
    observed_at: Timestamp,
) -> Event {
    let named = delivery.failing.len();
    let body = match check {
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
    let mut event = from_delivery(EventName::CheckDelivery, delivery, observed_at, body);
    if let Some((check_id, check)) = check {
        about_check(&mut event, check_id, check);
        event.set(key::CHECK_DESCRIPTION, check.description.clone());
        event.set(key::CHECK_RECOMMENDED_ACTIONS, check.recommended_actions.clone());
    }
    event.set_some(key::CHECK_FRAMEWORKS, delivery.frameworks.clone());
    event.set_some(key::CHECK_EXPLANATION, delivery.explanation.as_ref());
    event.set(key::DELIVERY_USERS, named);
    event.set(key::DELIVERY_NEW_USERS, users.newly_failing);
    event.set(key::DELIVERY_KNOWN_USERS, users.known);
    event.set(key::DELIVERY_CLEARED_USERS, users.cleared);
    event.set(key::DELIVERY_SKIPPED_LOGINS, delivery.skipped.count());
    about_reading(&mut event, delivery);
    event
}

/// `cii.webhook.test`: the console's test message came in.
#[must_use]
pub fn test_received(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "The webhook's test message came in".to_owned();
    let mut event = from_delivery(EventName::WebhookTest, delivery, observed_at, body);
    about_reading(&mut event, delivery);
    event
}

/// The entry for a delivery about a check that the operator filters out.
#[must_use]
pub fn delivery_filtered(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "A webhook delivery was filtered out by its check".to_owned();
    from_delivery(EventName::DeliveryFiltered, delivery, observed_at, body)
}

fn from_delivery(name: EventName, delivery: &Delivery, at: Timestamp, body: String) -> Event {
    let mut event = Event::new(name, delivery.happened_at(), at, body);
    event.set(key::DELIVERY_ID, &delivery.id);
    event.set_some(key::DELIVERY_DETAIL_ID, delivery.detail_id.as_ref());
    event.set(key::DELIVERY_TYPE, &delivery.detail_type);
    event.set_some(key::DELIVERY_SOURCE, delivery.source.as_ref());
    event.set_some(key::TENANT_ID, delivery.tenant_id());
    let sent_at = delivery.sent_at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    event.set_some(key::DELIVERY_SENT_AT, sent_at);
    event.set_some(key::CLOUD_REGION, delivery.region.as_ref());
    event.set_some(key::CLOUD_ACCOUNT, delivery.account.as_ref());
    event
}

/// Notes stand on the event of the delivery alone: it may name many users.
fn about_reading(event: &mut Event, delivery: &Delivery) {
    if !delivery.notes.is_empty() {
        event.set(key::DELIVERY_NOTES, delivery.notes.clone());
    }
}

fn about_check(event: &mut Event, check_id: &CheckId, check: &CheckDefinition) {
    event.check_id = Some(check_id.clone());
    event.severity = check.severity.clone();
    event.set(key::CHECK_ID, check_id.as_str());
    event.set(key::CHECK_TITLE, &check.title);
    event.set_some(key::CHECK_SEVERITY, check.severity.text());
}
