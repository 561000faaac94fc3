//! An unfriendly service out of a number: the same number draws the same unfriendliness.
//!
//! What is drawn is survivable: an exporter that reads the world as it is ends on true
//! numbers. Rows are added and not lost, lists are null only where they are empty, and
//! outages pass.

mod delivery;
mod passing;
mod standing;

use std::sync::atomic::{AtomicU64, Ordering};

use rand::{SeedableRng, rngs::SmallRng};

use crate::{
    faults::{Fault, Faults},
    tenant::Tenant,
};

/// Draws faults from a seed.
#[derive(Debug)]
pub(crate) struct Unfriendly {
    seed: u64,
    requests: AtomicU64,
    deliveries: AtomicU64,
}

impl Unfriendly {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, requests: AtomicU64::new(0), deliveries: AtomicU64::new(0) }
    }

    /// The faults that hold from the start on; some are the tenant's own.
    pub(crate) fn standing(&self, tenant: &mut Tenant) -> Vec<Fault> {
        standing::draw(&mut SmallRng::seed_from_u64(self.seed), tenant)
    }

    /// The faults of the next request alone; mostly none.
    pub(crate) fn of_request(&self) -> Faults {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        Faults::of(passing::draw(&mut self.rng(1, number)))
    }

    /// The faults of the next delivery alone.
    pub(crate) fn of_delivery(&self) -> Faults {
        let number = self.deliveries.fetch_add(1, Ordering::Relaxed);
        Faults::of(delivery::draw(&mut self.rng(2, number)))
    }

    /// Requests come in no fixed order, but the faults of the n-th are always the same.
    fn rng(&self, stream: u64, number: u64) -> SmallRng {
        let mixed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (stream << 56) ^ number;
        SmallRng::seed_from_u64(mixed)
    }
}

#[cfg(test)]
mod tests;
