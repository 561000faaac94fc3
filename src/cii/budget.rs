//! The request budget: so many a minute, evenly, and none while the service
//! asks not to be called.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{ApiError, HttpError};

/// How long a request waits for a service that asks not to be called; beyond
/// that it fails, and the next run tries again.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Hands out the moments at which requests may be sent.
///
/// A tenth of a minute's requests may come at once, the others follow evenly, so
/// that no 60 seconds see more than the budget.
#[derive(Debug)]
pub(super) struct Budget {
    interval: Duration,
    burst: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the next request is due, if requests came evenly.
    next: Instant,
    /// Until when the service asks not to be called.
    resume: Option<Instant>,
}

impl Budget {
    pub(super) fn new(per_minute: u32) -> Self {
        let at_once = (per_minute / 10).max(1);
        let evenly = per_minute.saturating_sub(at_once).max(1);
        Self::every(Duration::from_mins(1) / evenly, at_once)
    }

    /// Half of the budget of so many a minute.
    pub(super) fn half(per_minute: u32) -> Self {
        match per_minute / 2 {
            0 => Self::every(Duration::from_mins(2), 1),
            half => Self::new(half),
        }
    }

    fn every(interval: Duration, at_once: u32) -> Self {
        // Long past, so that the first requests find the whole burst.
        let next = Instant::now();
        Self {
            interval,
            burst: interval * (at_once - 1),
            state: Mutex::new(State { next, resume: None }),
        }
    }

    /// Waits for the moment of a request.
    ///
    /// # Errors
    /// When the service asks not to be called for longer than is worth waiting.
    pub(super) async fn acquire(&self) -> Result<(), ApiError> {
        let slot = {
            let mut state = self.lock();
            let now = Instant::now();
            let resume = state.resume.filter(|resume| *resume > now).unwrap_or(now);
            if resume - now > PATIENCE {
                let retry_after = Some(resume - now);
                return Err(ApiError::Http(HttpError::Throttled { retry_after }));
            }
            // What was not used is saved up, as far as the burst goes.
            let earliest = now.checked_sub(self.burst).unwrap_or(state.next);
            let due = state.next.max(earliest);
            state.next = due + self.interval;
            due.max(resume)
        };
        tokio::time::sleep_until(slot).await;
        Ok(())
    }

    /// Sends nothing for this long.
    pub(super) fn rest(&self, wait: Duration) {
        let mut state = self.lock();
        let resume = Instant::now() + wait;
        state.resume = Some(state.resume.map_or(resume, |until| until.max(resume)));
        // The first request after it is alone, and shows whether the service is well again.
        state.next = state.next.max(resume + self.interval);
    }

    #[cfg(test)]
    pub(super) fn is_resting(&self) -> bool {
        self.lock().resume.is_some_and(|until| until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sent(per_minute: u32, pauses: &[u64]) -> Vec<Instant> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let budget = Budget::new(per_minute);
            let mut sent = Vec::new();
            for pause in pauses {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                for _ in 0..20 {
                    budget.acquire().await.unwrap();
                    sent.push(Instant::now());
                }
            }
            sent
        })
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_the_budget(
            per_minute in 1_u32..200,
            pauses in prop::collection::vec(0_u64..120_000, 1..20),
        ) {
            let sent = sent(per_minute, &pauses);
            for (first, begun) in sent.iter().enumerate() {
                let within = sent[first..]
                    .iter()
                    .take_while(|at| **at - *begun < Duration::from_mins(1))
                    .count();
                // One request a minute cannot be told from none at once.
                prop_assert!(within <= per_minute.max(2) as usize, "{within} of {per_minute}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_gets_half_of_the_budget() {
        for (per_minute, most) in [(600, 300), (60, 30), (10, 5), (2, 2), (1, 2)] {
            let (budget, begun) = (Budget::half(per_minute), Instant::now());
            let mut sent = 0;
            while begun.elapsed() < Duration::from_mins(1) {
                budget.acquire().await.unwrap();
                sent += u32::from(begun.elapsed() < Duration::from_mins(1));
            }
            assert!(sent <= most, "{sent} of {per_minute}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_wants_rest_gets_it() {
        let (budget, begun) = (Budget::new(600), Instant::now());
        budget.rest(Duration::from_secs(7));
        budget.acquire().await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(7));
        budget.rest(Duration::from_hours(1));
        let refused = budget.acquire().await.unwrap_err();
        assert!(refused.retry_after().unwrap() > PATIENCE);
    }
}
