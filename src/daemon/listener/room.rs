//! How many connections there may be, so that the flood of one listener leaves room for
//! the other, and for the database.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::client_address;

/// Descriptors that are neither listener's: the database and its readers, the API, the
/// collector, the log.
const RESERVE: u64 = 64;

/// Connections that the webhook listener has at most: senders are few, and keep theirs.
const MOST_WEBHOOK: u64 = 4096;

/// Connections that the ops listener has at most.
const MOST_OPS: u64 = 512;

/// Connections that either has at least, however few descriptors there are.
const LEAST: u64 = 8;

/// How many connections each listener may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) webhook: usize,
    pub(super) ops: usize,
}

impl Shares {
    /// Takes as many descriptors as the system lets this process have, and shares them out.
    pub(super) fn of_this_process() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: maximum, maximum };
        // Where that is refused, what there is must do.
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current };
        Self::from_descriptors(limit.unwrap_or(u64::MAX))
    }

    fn from_descriptors(descriptors: u64) -> Self {
        let half = descriptors.saturating_sub(RESERVE) / 2;
        let share = |most: u64| usize::try_from(half.clamp(LEAST, most)).unwrap_or(usize::MAX);
        Self { webhook: share(MOST_WEBHOOK), ops: share(MOST_OPS) }
    }
}

/// The connections that a listener may have, in all and of one client.
#[derive(Debug, Clone)]
pub(super) struct Room {
    slots: Arc<Semaphore>,
    of_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most_of_client: usize,
}

/// A connection that there is room for; dropped, it makes room for another one.
#[derive(Debug)]
pub(super) struct Place {
    of_client: Arc<Mutex<HashMap<IpAddr, usize>>>,
    client: IpAddr,
    _slot: OwnedSemaphorePermit,
}

impl Room {
    /// For so many connections, of which one client gets three quarters: whoever floods the
    /// listener leaves some to the others.
    pub(super) fn new(connections: usize) -> Self {
        let slots = Arc::new(Semaphore::new(connections));
        let most_of_client = (connections - connections / 4).max(1);
        Self { slots, of_client: Arc::default(), most_of_client }
    }

    /// Whether every connection is taken.
    pub(super) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// Waits until there is room for one more connection.
    pub(super) async fn acquire_slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// Gives the slot to a client; nothing when it has as many connections as it may have.
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
