//! The circuit breaker: a service that is down is not called until a probe succeeds.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{ApiError, HttpError, TokenError, meters::Meters};
use crate::domain::Backoff;

/// Consecutive failures after which the circuit opens.
const THRESHOLD: u32 = 5;

/// Pause before a probe. Half of it is random, so that many exporters do not probe at the same
/// time.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), LONGEST_REST);
const LONGEST_REST: Duration = Duration::from_mins(1);

/// The circuit: open while the service is down.
#[derive(Debug)]
pub(super) struct Circuit {
    state: Mutex<State>,
    is_open: watch::Sender<bool>,
    meters: Meters,
}

#[derive(Debug)]
struct State {
    failures: u32,
    /// Probes since it opened.
    probes: u32,
    probe_at: Instant,
    /// The text of the last failure.
    cause: String,
}

impl Circuit {
    pub(super) fn new(meters: Meters) -> Self {
        let state =
            State { failures: 0, probes: 0, probe_at: Instant::now(), cause: String::new() };
        Self { state: Mutex::new(state), is_open: watch::Sender::new(false), meters }
    }

    /// Returns an error while the circuit is open.
    pub(super) fn admit(&self) -> Result<(), ApiError> {
        if *self.is_open.borrow() {
            Err(ApiError::Resting { cause: self.lock().cause.clone() })
        } else {
            Ok(())
        }
    }

    /// Counts a failure, or closes the circuit after an answer.
    pub(super) fn record_result(&self, error: Option<&ApiError>) {
        match error {
            Some(error) if is_outage(error) => self.record_failure(error),
            _ => self.record_answer(),
        }
    }

    /// Resolves when an open circuit closes; never while it is closed.
    pub(super) async fn wait_until_closed(&self) {
        let mut is_open = self.is_open.subscribe();
        if !*is_open.borrow_and_update() {
            return std::future::pending().await;
        }
        // Cannot fail: the sender lives as long as the circuit.
        let _ = is_open.wait_for(|is_open| !is_open).await;
    }

    /// Resolves when the next probe is due, for one caller at a time.
    pub(super) async fn wait_for_probe(&self) {
        loop {
            let probe_at = self.lock().probe_at;
            tokio::time::sleep_until(probe_at).await;
            let mut state = self.lock();
            if state.probe_at == probe_at {
                state.probes = state.probes.saturating_add(1);
                state.probe_at = Instant::now() + rest_time(state.probes);
                return;
            }
        }
    }

    fn record_failure(&self, error: &ApiError) {
        let mut state = self.lock();
        state.cause = error.to_string();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= THRESHOLD && !*self.is_open.borrow() {
            state.probes = 0;
            state.probe_at = Instant::now() + rest_time(0);
            self.is_open.send_replace(true);
            self.meters.set_circuit_open(true);
            tracing::warn!(
                error = error.redacted_text(),
                "the service is down; it is not called until a ping is answered"
            );
        }
    }

    fn record_answer(&self) {
        self.lock().failures = 0;
        if self.is_open.send_if_modified(|is_open| std::mem::replace(is_open, false)) {
            self.meters.set_circuit_open(false);
            tracing::info!("the service answers again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rest_time(probes: u32) -> Duration {
    BACKOFF.steady_wait(probes, fastrand::f64())
}

/// Whether a failure means that the service is down, whatever the request.
const fn is_outage(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Http(failure) | ApiError::Token(TokenError::Http(failure))
            if matches!(
                failure,
                HttpError::Server { .. }
                    | HttpError::Timeout
                    | HttpError::Connect(_)
                    | HttpError::Cut
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: ApiError = ApiError::Http(HttpError::Timeout);

    fn opened() -> Circuit {
        let circuit = Circuit::new(Meters::new().unwrap());
        for _ in 0..THRESHOLD {
            assert_eq!(circuit.admit(), Ok(()));
            circuit.record_result(Some(&DOWN));
        }
        circuit
    }

    #[tokio::test]
    async fn failures_in_a_row_open_it_and_an_answer_closes_it() {
        let circuit = opened();
        assert_eq!(circuit.admit(), Err(ApiError::Resting { cause: DOWN.to_string() }));
        circuit.record_result(None);
        assert_eq!(circuit.admit(), Ok(()));
    }

    #[tokio::test]
    async fn an_error_of_one_question_is_an_answer_of_the_service() {
        let circuit = Circuit::new(Meters::new().unwrap());
        for _ in 0..3 * THRESHOLD {
            circuit.record_result(Some(&DOWN));
            circuit.record_result(Some(&ApiError::Graphql(Vec::new().into())));
        }
        assert_eq!(circuit.admit(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn probes_come_ever_more_slowly_and_to_one_caller_each() {
        let circuit = opened();
        let begun = Instant::now();
        for _ in 0..40 {
            tokio::join!(circuit.wait_for_probe(), circuit.wait_for_probe());
        }
        let rests = begun.elapsed();
        // Eighty probes; all but the first few at the longest distance.
        assert!(rests > 70 * LONGEST_REST / 2 && rests < 80 * LONGEST_REST, "{rests:?}");
    }
}
