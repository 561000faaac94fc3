//! How often each client proved nothing of late.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures of a client in a while that are each answered with patience.
const PATIENCE: u32 = 10;

/// How long failures of a client are counted together.
const WHILE: Duration = Duration::from_mins(1);

/// Clients that are counted at once; past that, none is shown patience.
const CLIENTS: usize = 4096;

/// How the next failure of a client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// With patience: the sender may have made a mistake.
    Patient,
    /// Without a look at the body; the first such answer in a while, which is logged.
    FirstLimited,
    /// Without a look at the body.
    Limited,
}

/// The failures of all clients.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Since>>);

#[derive(Debug)]
struct Since {
    begun: Instant,
    count: u32,
}

impl Failures {
    /// Counts a failure of a client. Successes are never asked about: others at the same
    /// address cannot shut a sender out.
    pub(super) fn count(&self, client: IpAddr, now: Instant) -> Failure {
        let is_over = |since: &Since| now.duration_since(since.begun) >= WHILE;
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS && !clients.contains_key(&client) {
            clients.retain(|_, since| !is_over(since));
            if clients.len() >= CLIENTS {
                return Failure::Limited;
            }
        }
        let since = clients.entry(client).or_insert(Since { begun: now, count: 0 });
        if is_over(since) {
            *since = Since { begun: now, count: 0 };
        }
        since.count = since.count.saturating_add(1);
        match since.count {
            count if count <= PATIENCE => Failure::Patient,
            count if count == PATIENCE + 1 => Failure::FirstLimited,
            _ => Failure::Limited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_for_one_client_and_comes_back_after_a_while() {
        let (failures, now) = (Failures::default(), Instant::now());
        let one = "192.0.2.1".parse().unwrap();
        for _ in 0..PATIENCE {
            assert_eq!(failures.count(one, now), Failure::Patient);
        }
        assert_eq!(failures.count(one, now), Failure::FirstLimited);
        assert_eq!(failures.count(one, now), Failure::Limited);
        assert_eq!(failures.count("192.0.2.2".parse().unwrap(), now), Failure::Patient);
        assert_eq!(failures.count(one, now + WHILE), Failure::Patient);
    }

    #[test]
    fn clients_without_end_cost_no_memory_without_end() {
        let (failures, now) = (Failures::default(), Instant::now());
        for client in 0..10_000_u32 {
            failures.count(std::net::Ipv4Addr::from_bits(client).into(), now);
        }
        assert_eq!(failures.0.lock().unwrap().len(), CLIENTS);
        let late = failures.count("192.0.2.1".parse().unwrap(), now + WHILE);
        assert_eq!(late, Failure::Patient);
    }
}
