//! Webhook deliveries that were refused although their secret is right.

use crate::{
    domain::Timestamp,
    ledger::{Body, Change, DeliveryRow, Facts, Fault, Keys, RefusedRow, WholeTable},
};

/// The number of refused deliveries that are stored with their body, and the same number of those
/// with the reason alone.
const KEPT: usize = 100;

/// Records a refused delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRefused {
    /// When it was received.
    pub received_at: Timestamp,
    /// The status of the answer.
    pub status: u16,
    /// The value of the label `result` of `cii_webhook_requests_total`.
    pub result: &'static str,
    /// The reason in the answer to the sender.
    pub reason: String,
    /// Bytes of the body, if they are known.
    pub size: Option<usize>,
    /// The start of the body, for an answer of 400.
    pub body: Option<Body>,
    /// Whether the body is gzip that could not be decompressed.
    pub is_packed: bool,
}

impl Change for RecordRefused {
    /// The number of the refused delivery.
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

/// Stores which delivery the replay of a refused one became.
pub(super) fn mark_replayed(facts: &mut Facts, refused: i64, number: i64) -> Result<(), Fault> {
    if facts.refused.is_loaded(&refused) {
        facts.refused.update(&refused, |row| row.replayed_as = Some(number))?;
    }
    Ok(())
}
