//! The request budget: a rate per minute, and a pause while the service asks not to be called.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{ApiError, HttpError};

/// How long a request waits when the service asks not to be called. After a longer `Retry-After` it
/// fails, and the next run tries again.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Schedules the moments at which requests may be sent.
///
/// A tenth of a minute's requests may be sent as a burst, and the others follow evenly, so that no
/// 60 seconds have more than the budget. After a pause that the service asked for, a single request
/// is sent as a probe; the others follow when it succeeds.
#[derive(Debug)]
pub(super) struct Budget {
    interval: Duration,
    burst: Duration,
    state: Mutex<State>,
    /// Notified when a probe has ended.
    probe_ended: Notify,
}

#[derive(Debug)]
struct State {
    /// The moment of the next request at the even rate.
    next: Instant,
    /// Until when the service asks not to be called.
    resume: Option<Instant>,
    /// Number of pauses that the service asked for.
    rests: u64,
    probe: Probe,
}

/// Whether a probe after the last pause has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// It has, or there was no pause.
    Answered,
    /// The next request is the probe.
    Due,
    /// The probe is running; other requests wait.
    UnderWay,
}

/// A request that may be sent now. If it is dropped without [`Turn::end`], the next request is the
/// probe again.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    budget: &'a Budget,
    /// Number of pauses when it began.
    rests: u64,
    is_probe: bool,
    is_well: bool,
}

impl Turn<'_> {
    /// Records the end of the request, and whether the service answered normally.
    pub(super) fn end(mut self, is_well: bool) {
        self.is_well = is_well;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_probe {
            return;
        }
        let mut state = self.budget.lock();
        // A pause that began meanwhile needs a probe of its own.
        if state.rests == self.rests {
            state.probe = if self.is_well { Probe::Answered } else { Probe::Due };
        }
        drop(state);
        self.budget.probe_ended.notify_waiters();
    }
}

/// The next step of a request that waits for its turn.
enum Step<'a> {
    /// Wait until this moment: the service asked for a pause.
    Rest(Instant),
    /// Wait until the probe has ended.
    AwaitProbe,
    /// Send at this moment, unless a pause begins before.
    Send(Instant, Turn<'a>),
}

impl Budget {
    pub(super) fn new(per_minute: u32) -> Self {
        let at_once = (per_minute / 10).max(1);
        let evenly = per_minute.saturating_sub(at_once).max(1);
        Self::with_interval(Duration::from_mins(1) / evenly, at_once)
    }

    /// A budget of half of this rate.
    pub(super) fn with_half(per_minute: u32) -> Self {
        match per_minute / 2 {
            0 => Self::with_interval(Duration::from_mins(2), 1),
            half => Self::new(half),
        }
    }

    fn with_interval(interval: Duration, at_once: u32) -> Self {
        // `next` lies in the past, so that the first requests have the whole burst.
        let next = Instant::now();
        Self {
            interval,
            burst: interval * (at_once - 1),
            state: Mutex::new(State { next, resume: None, rests: 0, probe: Probe::Answered }),
            probe_ended: Notify::new(),
        }
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// When the service asks for a pause of more than [`PATIENCE`].
    pub(super) async fn acquire(&self) -> Result<Turn<'_>, ApiError> {
        loop {
            // Created before the state is read, so that no notification is missed.
            let mut probe_ended = pin!(self.probe_ended.notified());
            probe_ended.as_mut().enable();
            match self.next_step()? {
                Step::Rest(resume) => tokio::time::sleep_until(resume).await,
                Step::AwaitProbe => probe_ended.await,
                Step::Send(slot, turn) => {
                    tokio::time::sleep_until(slot).await;
                    if self.lock().rests == turn.rests {
                        return Ok(turn);
                    }
                }
            }
        }
    }

    fn next_step(&self) -> Result<Step<'_>, ApiError> {
        let mut state = self.lock();
        let now = Instant::now();
        if let Some(resume) = state.resume.filter(|resume| *resume > now) {
            if resume - now > PATIENCE {
                let retry_after = Some(resume - now);
                return Err(ApiError::Http(HttpError::Throttled { retry_after }));
            }
            return Ok(Step::Rest(resume));
        }
        if state.probe == Probe::UnderWay {
            return Ok(Step::AwaitProbe);
        }
        let is_probe = state.probe == Probe::Due;
        if is_probe {
            state.probe = Probe::UnderWay;
        }
        // Unused requests accumulate up to the burst.
        let earliest = now.checked_sub(self.burst).unwrap_or(state.next);
        let slot = state.next.max(earliest);
        state.next = slot + self.interval;
        let turn = Turn { budget: self, rests: state.rests, is_probe, is_well: false };
        Ok(Step::Send(slot, turn))
    }

    /// Pauses all requests for this long.
    pub(super) fn rest(&self, wait: Duration) {
        let mut state = self.lock();
        let resume = Instant::now() + wait;
        state.resume = Some(state.resume.map_or(resume, |until| until.max(resume)));
        state.rests += 1;
        state.probe = Probe::Due;
    }

    #[cfg(test)]
    pub(super) fn rest_count(&self) -> u64 {
        self.lock().rests
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
            let (budget, begun) = (Budget::with_half(per_minute), Instant::now());
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

    #[tokio::test(start_paused = true)]
    async fn after_a_rest_one_request_goes_ahead_until_the_service_is_well() {
        let (budget, begun) = (Budget::new(600), Instant::now());
        budget.rest(Duration::from_secs(7));
        let mut ahead = budget.acquire().await.unwrap();
        let waits = async || {
            let another = tokio::time::timeout(Duration::from_mins(1), budget.acquire());
            another.await.is_err()
        };
        assert!(waits().await);
        // It shows nothing, or that the service is not well: another request is the probe.
        drop(ahead);
        ahead = budget.acquire().await.unwrap();
        assert!(waits().await);
        ahead.end(false);
        ahead = budget.acquire().await.unwrap();
        assert!(waits().await);
        // It causes another pause, after which its late end counts for nothing.
        budget.rest(Duration::from_secs(30));
        ahead.end(true);
        let rested = Instant::now();
        ahead = budget.acquire().await.unwrap();
        assert!(rested.elapsed() >= Duration::from_secs(30));
        assert!(waits().await);
        let (waited, ()) = tokio::join!(budget.acquire(), async { ahead.end(true) });
        let _turns = [waited.unwrap(), budget.acquire().await.unwrap()];
        assert!(begun.elapsed() > Duration::from_secs(37));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_moment_is_held_back_by_a_rest() {
        let (budget, begun) = (Budget::new(60), Instant::now());
        for _ in 0..6 {
            budget.acquire().await.unwrap().end(true);
        }
        let rest = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            budget.rest(Duration::from_secs(20));
        };
        let (turn, ()) = tokio::join!(budget.acquire(), rest);
        turn.unwrap().end(true);
        assert!(begun.elapsed() >= Duration::from_millis(20_500));
    }
}
