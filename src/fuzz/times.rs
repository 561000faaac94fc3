//! Checks moments and waits in texts from outside.

use std::time::Duration;

use serde_json::json;

use crate::{
    cii::{self, webhook},
    delivery,
    domain::Timestamp,
};

/// A moment in 2026, with which others are compared.
const NOW: i64 = 1_764_072_000;

pub(super) fn check(input: &[u8]) {
    let Some(now) = Timestamp::from_timestamp(NOW, 0) else { return };
    cii::fuzz::read_retry_after(input);
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Some(asked) = delivery::fuzz::read_retry_after(text, now) {
        // The same wait, written as seconds.
        let again = Duration::from_secs(asked.as_secs());
        let printed = asked.as_secs().to_string();
        assert_eq!(delivery::fuzz::read_retry_after(&printed, now), Some(again));
    }
    if let Some(moment) = cii::fuzz::read_moment(text) {
        assert_eq!(cii::fuzz::read_moment(&moment.to_rfc3339()), Some(moment), "{text}");
    }
    let sent_at = |text: &str| {
        let body = json!({ "id": "1", "detail-type": "WebhookTest", "time": text }).to_string();
        webhook::parse(body.as_bytes(), now).ok()?.sent_at
    };
    if let Some(moment) = sent_at(text) {
        assert_eq!(sent_at(&moment.to_rfc3339()), Some(moment), "{text}");
    }
}
