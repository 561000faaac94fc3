//! Limits the number of connections, so that a flood on one listener leaves file descriptors for
//! the other one and for the database.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::client_address;

/// File descriptors for everything else: database, API, collector, log.
const RESERVE: u64 = 64;

/// Most connections of the webhook listener: there are few senders, and they reuse connections.
const MOST_WEBHOOK: u64 = 4096;

/// Most connections of the ops listener.
const MOST_OPS: u64 = 512;

/// Fewest connections of either listener, however few descriptors there are.
const LEAST: u64 = 8;

/// The limits of both listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) webhook: usize,
    pub(super) ops: usize,
}

impl Shares {
    /// Raises the limit of file descriptors as far as allowed, and divides them.
    pub(super) fn of_this_process() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: maximum, maximum };
        // If the system refuses, the current limit is used.
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current };
        Self::from_descriptors(limit.unwrap_or(u64::MAX))
    }

    fn from_descriptors(descriptors: u64) -> Self {
        let half = descriptors.saturating_sub(RESERVE) / 2;
        let share = |most: u64| usize::try_from(half.clamp(LEAST, most)).unwrap_or(usize::MAX);
        Self { webhook: share(MOST_WEBHOOK), ops: share(MOST_OPS) }
    }
}

/// The limits of a listener's connections: in total and per client.
#[derive(Debug, Clone)]
pub(super) struct Room {
    slots: Arc<Semaphore>,
    of_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most_of_client: usize,
}

/// The slot of a connection; it is free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    of_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
    client: IpAddr,
    _slot: OwnedSemaphorePermit,
}

impl Room {
    /// Creates limits for this many connections. One client may have three quarters of them, so
    /// that a flood from one address leaves some to others.
    pub(super) fn new(connections: usize) -> Self {
        let slots = Arc::new(Semaphore::new(connections));
        let most_of_client = (connections - connections / 4).max(1);
        Self { slots, of_client: Arc::default(), most_of_client }
    }

    /// Whether all slots are taken.
    pub(super) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// Waits for a free slot.
    pub(super) async fn acquire_slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// Assigns the slot to a client; `None` when the client has reached its limit.
    pub(super) fn admit_client(
        &self,
        slot: OwnedSemaphorePermit,
        address: IpAddr,
    ) -> Option<Place> {
        let client = client_address(address);
        let mut of_client = self.of_client.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_client.entry(client).or_default();
        if *count >= self.most_of_client {
            return None;
        }
        *count += 1;
        drop(of_client);
        Some(Place { of_client: self.of_client.clone(), client, _slot: slot })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_client = self.of_client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                of_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_listeners_and_the_rest_get_their_share_of_the_descriptors() {
        for (limit, webhook, ops) in
            [(20, 8, 8), (256, 96, 96), (1024, 480, 480), (1_048_576, 4096, 512)]
        {
            assert_eq!(Shares::from_descriptors(limit), Shares { webhook, ops }, "{limit}");
        }
    }

    #[tokio::test]
    async fn one_client_leaves_room_for_others() {
        let room = Room::new(4);
        let take = async |address: &str| {
            let slot = room.acquire_slot().await.unwrap();
            room.admit_client(slot, address.parse().unwrap())
        };
        let places =
            [take("192.0.2.1").await, take("::ffff:192.0.2.1").await, take("192.0.2.1").await];
        assert!(places.iter().all(Option::is_some));
        assert!(take("192.0.2.1").await.is_none());
        assert!(!room.is_full());
        let other = take("2001:db8::1").await;
        assert!(other.is_some() && room.is_full());
        drop(places);
        drop(other);
        assert!(!room.is_full() && room.of_client.lock().unwrap().is_empty());
    }
}
