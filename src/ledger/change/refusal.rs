//! Webhook deliveries that were refused although their secret is right.

use crate::{
    domain::Timestamp,
    ledger::{Body, Change, DeliveryRow, Facts, Fault, Keys, RefusedRow, WholeTable},
};

/// Refused deliveries that are kept: this many with their body, and as many of
/// which only the reason is known.
const KEPT: usize = 100;

/// A refused delivery to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRefused {
    /// When it came.
    pub received_at: Timestamp,
    /// The status of the answer.
    pub status: u16,
    /// The word of the metric `cii_webhook_requests_total`.
    pub result: &'static str,
    /// What the sender was told.
    pub reason: String,
    /// Bytes of the body, as far as they are known.
    pub size: Option<usize>,
    /// The begin of the body, for an answer of 400.
    pub body: Option<Body>,
    /// Whether the body is gzip that could not be unpacked.
    pub is_packed: bool,
}

impl Change for RecordRefused {
    /// Our own number of it.
    type Outcome = i64;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Refused);
    }

    fn work(&self) -> usize {
        1 + self.body.as_ref().map_or(0, Body::work)
    }

    fn apply(&self, facts: &mut Facts) -> Result<i64, Fault> {
        let number = facts.next_delivery();
        let has_body = self.body.is_some();
        let row = RefusedRow { has_body, replayed_as: None };
        facts.refused.put(number, row);
        let mut alike = facts.all_refused()?;
        alike.retain(|(_, row)| row.has_body == has_body);
        for (oldest, _) in alike.iter().take(alike.len().saturating_sub(KEPT)) {
            facts.refused.remove(oldest);
        }
        facts.keep_delivery(DeliveryRow {
            number,
            received_at: self.received_at,
            status: self.status,
            outcome: self.result,
            reason: Some(self.reason.clone()),
            size: self.size,
            is_packed: self.is_packed,
            body: self.body.clone(),
            ..DeliveryRow::default()
        });
        Ok(number)
    }
}

/// Notes what the replay of a refused delivery became.
pub(super) fn mark_replayed(facts: &mut Facts, refused: i64, number: i64) -> Result<(), Fault> {
    if facts.refused.is_loaded(&refused) {
        facts.refused.update(&refused, |row| row.replayed_as = Some(number))?;
    }
    Ok(())
}
