//! Counts failed authentications by client, to limit the work that they cause.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures of a client per [`WHILE`] whose bodies are still drained.
const PATIENCE: u32 = 10;

/// The period in which failures of a client are counted together.
const WHILE: Duration = Duration::from_mins(1);

/// Most clients that are counted. Failures of further clients are answered at once, without
/// draining.
pub(super) const CLIENTS: usize = 4096;

/// Least time between two sweeps of a full table: a sweep holds the lock that other requests wait
/// for.
const SWEEP: Duration = Duration::from_secs(1);

/// How to answer a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Drain the body, so that the sender sees the answer: it may have made a mistake.
    Patient,
    /// Do not read the body. It is the first such failure of the client in this period, and is
    /// logged.
    FirstLimited,
    /// Do not read the body: the table of clients is full.
    Uncounted,
    /// Do not read the body.
    Limited,
}

/// The failures of all clients.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    clients: HashMap<IpAddr, Since>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Since {
    begun: Instant,
    count: u32,
}

impl Since {
    fn has_expired(&self, now: Instant) -> bool {
        has_elapsed(Some(self.begun), WHILE, now)
    }
}

impl Failures {
    /// Whether the client has reached the limit. A client that is not in the table has not.
    pub(super) fn is_limited(&self, client: IpAddr, now: Instant) -> bool {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = table.clients.get(&client);
        since.is_some_and(|since| !since.has_expired(now) && since.count >= PATIENCE)
    }

    /// Counts a failure of a client. Valid requests are never limited: others behind the same
    /// address cannot lock a sender out.
    pub(super) fn count_failure(&self, client: IpAddr, now: Instant) -> Failure {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count_failure(client, now)
    }
}

impl Table {
    fn count_failure(&mut self, client: IpAddr, now: Instant) -> Failure {
        if self.is_full() && !self.clients.contains_key(&client) {
            if has_elapsed(self.swept, SWEEP, now) {
                self.swept = Some(now);
                self.clients.retain(|_, since| !since.has_expired(now));
            }
            if self.is_full() {
                return Failure::Uncounted;
            }
        }
        let since = self.clients.entry(client).or_insert(Since { begun: now, count: 0 });
        if since.has_expired(now) {
            *since = Since { begun: now, count: 0 };
        }
        since.count = since.count.saturating_add(1);
        match since.count {
            count if count <= PATIENCE => Failure::Patient,
            count if count == PATIENCE + 1 => Failure::FirstLimited,
            _ => Failure::Limited,
        }
    }

    fn is_full(&self) -> bool {
        self.clients.len() >= CLIENTS
    }
}

/// Whether this much time has passed since `then`; true for `None`.
fn has_elapsed(then: Option<Instant>, time: Duration, now: Instant) -> bool {
    then.is_none_or(|then| now.duration_since(then) >= time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_for_one_client_and_comes_back_after_a_while() {
        let (failures, now) = (Failures::default(), Instant::now());
        let one = "192.0.2.1".parse().unwrap();
        for _ in 0..PATIENCE {
            assert!(!failures.is_limited(one, now));
            assert_eq!(failures.count_failure(one, now), Failure::Patient);
        }
        assert!(failures.is_limited(one, now) && !failures.is_limited(one, now + WHILE));
        assert_eq!(failures.count_failure(one, now), Failure::FirstLimited);
        assert_eq!(failures.count_failure(one, now), Failure::Limited);
        assert_eq!(failures.count_failure("192.0.2.2".parse().unwrap(), now), Failure::Patient);
        assert_eq!(failures.count_failure(one, now + WHILE), Failure::Patient);
    }

    #[test]
    fn clients_without_end_cost_no_memory_without_end() {
        let (failures, now) = (Failures::default(), Instant::now());
        let fail = |client: u32, now| {
            failures.count_failure(std::net::Ipv4Addr::from_bits(client).into(), now)
        };
        let answers: Vec<_> = (0..10_000).map(|client| fail(client, now)).collect();
        assert_eq!(failures.0.lock().unwrap().clients.len(), CLIENTS);
        assert!(answers[..CLIENTS].iter().all(|answer| *answer == Failure::Patient));
        assert!(answers[CLIENTS..].iter().all(|answer| *answer == Failure::Uncounted));
        // One that is counted already is answered as before.
        assert_eq!(fail(7, now), Failure::Patient);
        assert_eq!(fail(20_000, now + WHILE), Failure::Patient);
    }
}
