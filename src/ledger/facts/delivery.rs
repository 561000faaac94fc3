//! Deliveries: those to store, and those that were received again.

use super::Facts;
use crate::{
    domain::Timestamp,
    ledger::{DeliveryRow, Envelope, Fault, RefusedRow, Repeat, Subject},
};

impl Facts {
    /// Records that every refused delivery was loaded.
    pub fn load_all_refused(&mut self) {
        self.all_refused.load(());
    }

    /// Every refused delivery, by number.
    ///
    /// # Errors
    /// When one cannot be decoded, or they were not loaded.
    pub fn all_refused(&self) -> Result<Vec<(i64, RefusedRow)>, Fault> {
        self.all_refused.get()?;
        self.refused.range(..).map(|row| row.map(|(number, row)| (*number, *row))).collect()
    }

    /// Takes the number of the next delivery.
    pub fn next_delivery(&mut self) -> i64 {
        self.effects.head.delivery += 1;
        self.effects.head.delivery
    }

    /// Stores a delivery under its number.
    pub fn keep_delivery(&mut self, delivery: DeliveryRow) {
        if let (Some(id), 200) = (&delivery.id, delivery.status) {
            let is_filtered = delivery.outcome == "filtered";
            let envelope = Envelope { number: delivery.number, is_filtered };
            self.envelopes.put(id.clone(), envelope);
        }
        self.effects.deliveries.push(delivery);
        self.touch(Subject::Webhook);
    }

    /// Records that a delivery was received again.
    pub fn repeat_delivery(&mut self, number: i64, at: Timestamp) {
        self.effects.repeats.push(Repeat { number, at });
    }
}
