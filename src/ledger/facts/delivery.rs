//! Deliveries: kept ones, and those that came again.

use super::Facts;
use crate::{
    domain::Timestamp,
    ledger::{DeliveryRow, Envelope, Fault, RefusedRow, Repeat, Subject},
};

impl Facts {
    /// Notes that every refused delivery was loaded.
    pub fn load_all_refused(&mut self) {
        self.all_refused.load(());
    }

    /// Every refused delivery, by number.
    ///
    /// # Errors
    /// When one cannot be understood, or they were not asked for.
    pub fn all_refused(&self) -> Result<Vec<(i64, RefusedRow)>, Fault> {
        self.all_refused.get()?;
        self.refused.range(..).map(|row| row.map(|(number, row)| (*number, *row))).collect()
    }

    /// The number of the next delivery.
    pub fn next_delivery(&mut self) -> i64 {
        self.effects.head.delivery += 1;
        self.effects.head.delivery
    }

    /// Keeps a delivery under its number.
    pub fn keep_delivery(&mut self, delivery: DeliveryRow) {
        if let (Some(id), 200) = (&delivery.id, delivery.status) {
            let is_filtered = delivery.outcome == "filtered";
            let envelope = Envelope { number: delivery.number, is_filtered };
            self.envelopes.put(id.clone(), envelope);
        }
        self.effects.deliveries.push(delivery);
        self.touch(Subject::Webhook);
    }

    /// Notes that a delivery came again.
    pub fn repeat_delivery(&mut self, number: i64, at: Timestamp) {
        self.effects.repeats.push(Repeat { number, at });
    }
}
