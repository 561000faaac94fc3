//! Checks the body of a delivery.

use std::collections::BTreeSet;

use crate::{
    cii::webhook,
    domain::{Delivery, Login, Timestamp, failure::CLOCK_ERROR},
};

/// A moment in 2026. It decides which times of a delivery are valid and which are in the future.
const RECEIVED_AT: i64 = 1_764_072_000;

/// How much larger than the body a parsed delivery may be: each pair of a map of details becomes an
/// object with `key` and `value`.
const GROWTH: usize = 24;

/// What a parsed delivery may have besides the body: notes, and the definition of a check without
/// any.
const OVERHEAD: usize = 16 * 1024;

/// Maximum number of notes of a delivery.
const MAX_NOTES: usize = 21;

/// Maximum bytes of an error.
const MAX_COMPLAINT: usize = 500;

pub(super) fn check(body: &[u8]) {
    let Some(received_at) = Timestamp::from_timestamp(RECEIVED_AT, 0) else { return };
    let read = webhook::parse(body, received_at);
    assert_eq!(read, webhook::parse(body, received_at), "read otherwise the second time");
    match read {
        Ok(delivery) => check_delivery(&delivery, body.len(), received_at),
        Err(malformed) => {
            let text = malformed.to_string();
            assert!(text.len() <= MAX_COMPLAINT, "a complaint of {} bytes", text.len());
        }
    }
}

fn check_delivery(delivery: &Delivery, bytes: usize, received_at: Timestamp) {
    let logins: BTreeSet<_> = delivery.failing.iter().map(|user| &user.login).collect();
    assert_eq!(logins.len(), delivery.failing.len(), "a user is named twice");
    assert!(delivery.failing.len() + delivery.skipped.count() <= bytes, "users out of nothing");
    assert!(delivery.notes.len() <= MAX_NOTES, "{} notes", delivery.notes.len());
    assert!(!delivery.id.trim().is_empty(), "no id");
    let size = size(delivery);
    assert!(size <= GROWTH * bytes + OVERHEAD, "{bytes} bytes became {size}");
    let latest = received_at + CLOCK_ERROR;
    for moment in [delivery.sent_at, delivery.published_at].into_iter().flatten() {
        assert!(moment <= latest && moment.timestamp() >= 946_684_800, "{moment} is no time");
    }
    for user in &delivery.failing {
        let again = Login::new(user.login.spelling());
        assert_eq!(again.as_ref(), Ok(&user.login));
        assert_eq!(
            again.map(|login| login.spelling().to_owned()).as_deref(),
            Ok(user.login.spelling())
        );
        assert!(user.explanation.as_deref().is_none_or(is_json), "{:?}", user.explanation);
    }
    assert!(delivery.explanation.as_deref().is_none_or(is_json), "{:?}", delivery.explanation);
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// The bytes of all texts of a parsed delivery.
fn size(delivery: &Delivery) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let users = delivery.failing.iter();
    let users = users.map(|user| user.login.spelling().len() + length(&user.explanation));
    let words = delivery.check.as_ref().map_or(0, |check| {
        let texts =
            check.definition.description.iter().chain(&check.definition.recommended_actions);
        check.definition.title.len() + texts.map(String::len).sum::<usize>()
    });
    users.sum::<usize>()
        + words
        + delivery.notes.iter().map(String::len).sum::<usize>()
        + delivery.id.len()
        + delivery.detail_type.len()
        + [&delivery.source, &delivery.account, &delivery.region, &delivery.detail_id]
            .into_iter()
            .map(length)
            .sum::<usize>()
        + length(&delivery.explanation)
}
