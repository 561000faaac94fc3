//! JSON form of webhook deliveries.

use serde::{Deserialize, Serialize};

use crate::{domain::Timestamp, store};

/// A delivery in a list. The command `deliveries` deserializes it from the daemon's answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Delivery {
    number: Option<i64>,
    id: Option<String>,
    detail_id: Option<String>,
    received_at: Timestamp,
    sent_at: Option<Timestamp>,
    published_at: Option<Timestamp>,
    detail_type: Option<String>,
    source: Option<String>,
    account: Option<String>,
    region: Option<String>,
    check_id: Option<String>,
    title: Option<String>,
    severity: Option<String>,
    result: String,
    status: u16,
    reason: Option<String>,
    users_failing: u64,
    users_newly_failing: u64,
    users_known: u64,
    users_cleared: u64,
    logins_skipped: u64,
    notes: Vec<String>,
    repeats: u64,
    last_repeat_at: Option<Timestamp>,
    replayed_as: Option<i64>,
    size: Option<u64>,
    has_body: bool,
}

/// A delivery with its body.
#[derive(Debug, Serialize)]
pub struct DeliveryRecord {
    #[serde(flatten)]
    kept: Delivery,
    known_users: Vec<String>,
    cleared_users: Vec<String>,
    /// Bytes that are not UTF-8 are replaced.
    body: Option<String>,
    body_is_cut: bool,
    body_is_packed: bool,
}

impl From<store::KeptDelivery> for Delivery {
    fn from(kept: store::KeptDelivery) -> Self {
        Self {
            number: kept.number,
            id: kept.id,
            detail_id: kept.detail_id,
            received_at: kept.received_at,
            sent_at: kept.sent_at,
            published_at: kept.published_at,
            detail_type: kept.detail_type,
            source: kept.source,
            account: kept.account,
            region: kept.region,
            check_id: kept.check_id,
            title: kept.title,
            severity: kept.severity,
            result: kept.result,
            status: kept.status,
            reason: kept.reason,
            users_failing: kept.users_failing,
            users_newly_failing: kept.users_newly_failing,
            users_known: kept.users_known,
            users_cleared: kept.users_cleared,
            logins_skipped: kept.logins_skipped,
            notes: kept.notes,
            repeats: kept.repeats,
            last_repeat_at: kept.last_repeat_at,
            replayed_as: kept.replayed_as,
            size: kept.size,
            has_body: kept.has_body,
        }
    }
}

impl From<Delivery> for store::KeptDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            number: delivery.number,
            id: delivery.id,
            detail_id: delivery.detail_id,
            received_at: delivery.received_at,
            sent_at: delivery.sent_at,
            published_at: delivery.published_at,
            detail_type: delivery.detail_type,
            source: delivery.source,
            account: delivery.account,
            region: delivery.region,
            check_id: delivery.check_id,
            title: delivery.title,
            severity: delivery.severity,
            result: delivery.result,
            status: delivery.status,
            reason: delivery.reason,
            users_failing: delivery.users_failing,
            users_newly_failing: delivery.users_newly_failing,
            users_known: delivery.users_known,
            users_cleared: delivery.users_cleared,
            logins_skipped: delivery.logins_skipped,
            notes: delivery.notes,
            repeats: delivery.repeats,
            last_repeat_at: delivery.last_repeat_at,
            replayed_as: delivery.replayed_as,
            size: delivery.size,
            has_body: delivery.has_body,
        }
    }
}

impl From<store::DeliveryRecord> for DeliveryRecord {
    fn from(record: store::DeliveryRecord) -> Self {
        Self {
            kept: record.kept.into(),
            known_users: record.known_users,
            cleared_users: record.cleared_users,
            body: record.body.map(|body| String::from_utf8_lossy(&body).into_owned()),
            body_is_cut: record.body_is_cut,
            body_is_packed: record.body_is_packed,
        }
    }
}
