//! Events about checks and the deliveries that tell of them.

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

/// `cii.check.delivery`: a delivery came in, with all that it says of its check.
#[must_use]
pub fn delivery_received(
    delivery: &Delivery,
    check: Option<(&CheckId, &CheckDefinition)>,
    newly_failing: usize,
    observed_at: Timestamp,
) -> Event {
    let named = delivery.failing.len();
    let body = match check {
        Some((_, check)) => format!(
            "Webhook delivery: {named} {} the check \"{}\", {newly_failing} of them newly",
            if named == 1 { "user fails" } else { "users fail" },
            check.title
        ),
        None => format!("Webhook delivery of the type {:?}", delivery.detail_type),
    };
    let mut event = from_delivery(EventName::CheckDelivery, delivery, observed_at, body);
    if let Some((check_id, check)) = check {
        about_check(&mut event, check_id, check);
        event.set(key::CHECK_DESCRIPTION, check.description.clone());
        event.set(key::CHECK_RECOMMENDED_ACTIONS, check.recommended_actions.clone());
    }
    event.set(key::DELIVERY_USERS, named);
    event.set(key::DELIVERY_NEW_USERS, newly_failing);
    event
}

/// `cii.webhook.test`: the console's test message came in.
#[must_use]
pub fn test_received(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "The webhook's test message came in".to_owned();
    from_delivery(EventName::WebhookTest, delivery, observed_at, body)
}

/// The entry for a delivery about a check that the operator filters out.
#[must_use]
pub fn delivery_filtered(delivery: &Delivery, observed_at: Timestamp) -> Event {
    let body = "A webhook delivery was filtered out by its check".to_owned();
    from_delivery(EventName::DeliveryFiltered, delivery, observed_at, body)
}

fn from_delivery(name: EventName, delivery: &Delivery, at: Timestamp, body: String) -> Event {
    let mut event = Event::new(name, delivery.published_at.unwrap_or(at), at, body);
    event.set(key::DELIVERY_ID, &delivery.id);
    event.set(key::DELIVERY_TYPE, &delivery.detail_type);
    event.set_some(key::CLOUD_REGION, delivery.region.as_ref());
    event.set_some(key::CLOUD_ACCOUNT, delivery.account.as_ref());
    event
}

fn about_check(event: &mut Event, check_id: &CheckId, check: &CheckDefinition) {
    event.check_id = Some(check_id.clone());
    event.severity = check.severity.clone();
    event.set(key::CHECK_ID, check_id.as_str());
    event.set(key::CHECK_TITLE, &check.title);
    event.set_some(key::CHECK_SEVERITY, check.severity.text());
}
