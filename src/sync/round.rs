//! One round of questions: a batch at a time, a few batches at once, evenly over
//! the time there is.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Outcome;
use crate::{
    cii::{ApiError, HttpError},
    domain::PollOutcome,
    store::StoreError,
};

/// What asking about one target ended with.
pub(super) type Answered = Result<(), ApiError>;

/// How a round's questions are laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Targets a batch.
    pub(super) batch_size: usize,
    /// Batches at once.
    pub(super) concurrency: usize,
    /// The time over which the batches begin.
    pub(super) window: Duration,
}

/// Asks about every target. When the service as a whole refuses, the rest of
/// the round is given up: asking on would only make it worse.
///
/// # Errors
/// When an answer cannot be recorded.
pub(super) async fn ask_all<T: Clone, F>(
    targets: &[T],
    layout: Layout,
    stop: &CancellationToken,
    ask: impl Fn(Vec<T>) -> F,
) -> Result<Outcome, StoreError>
where
    F: Future<Output = Result<Vec<Answered>, StoreError>>,
{
    let mut outcome = Outcome::default();
    let mut may_be_service = false;
    let batches = targets.chunks(layout.batch_size.max(1)).map(<[T]>::to_vec);
    let (count, begun) = (batches.len(), Instant::now());
    let in_time = stream::iter(batches.enumerate()).then(|(position, batch)| async move {
        let share = layout.window.mul_f64(fraction(position, count));
        tokio::time::sleep_until(begun + share).await;
        batch
    });
    // After the stop signal no question is begun, and those in hand end.
    let in_time = in_time.take_until(stop.cancelled());
    let mut answers = pin!(in_time.map(ask).buffer_unordered(layout.concurrency));
    while let Some(batch) = answers.next().await {
        for answer in batch? {
            let Err(error) = answer else {
                outcome.ok += 1;
                continue;
            };
            outcome.failed += 1;
            if poll_outcome(&error).is_some() {
                tracing::debug!(%error, "a target failed");
                may_be_service |= error.is_transient() || matches!(error, ApiError::Malformed(_));
                continue;
            }
            if !outcome.service_failed {
                tracing::warn!(%error, "the service did not answer");
            }
            outcome.service_failed = true;
            if concerns_all(&error) {
                outcome.failed = targets.len() - outcome.ok;
                return Ok(outcome);
            }
        }
    }
    // Answers that might mean one target as well as the service mean the service
    // when no target has a better one.
    outcome.service_failed |= may_be_service && outcome.ok == 0;
    Ok(outcome)
}

/// The part of the window that has passed when a batch begins.
fn fraction(position: usize, count: usize) -> f64 {
    let exact = |number| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    exact(position) / exact(count.max(1))
}

/// What a failure says of its target; nothing when it is the service's.
pub(super) fn poll_outcome(error: &ApiError) -> Option<PollOutcome> {
    match error {
        ApiError::Graphql(_) if error.is_not_found() => Some(PollOutcome::NotFound),
        ApiError::Graphql(_) => Some(PollOutcome::Refused),
        ApiError::Malformed(_) => Some(PollOutcome::Malformed),
        _ => None,
    }
}

/// Whether every other question would end the same way.
const fn concerns_all(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Token(_)
            | ApiError::Unauthorized
            | ApiError::Resting
            | ApiError::Http(HttpError::Throttled { .. } | HttpError::Connect(_))
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    const LAYOUT: Layout =
        Layout { batch_size: 10, concurrency: 4, window: Duration::from_mins(12) };

    /// A thousand batches, each answered after 200 ms.
    #[tokio::test(start_paused = true)]
    async fn a_large_round_is_even_over_its_window_and_bounded_at_once() {
        let targets: Vec<usize> = (0..10_000).collect();
        let (begun, at_once, most) = (Instant::now(), AtomicUsize::new(0), AtomicUsize::new(0));
        let starts = Mutex::new(Vec::new());
        let ask = |batch: Vec<usize>| {
            let (at_once, most, starts) = (&at_once, &most, &starts);
            async move {
                starts.lock().unwrap().push(begun.elapsed());
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(200)).await;
                at_once.fetch_sub(1, Ordering::SeqCst);
                Ok(batch.iter().map(|_| Ok(())).collect())
            }
        };
        let outcome = ask_all(&targets, LAYOUT, &CancellationToken::new(), ask).await.unwrap();
        assert_eq!((outcome.ok, outcome.failed), (10_000, 0));
        assert!(most.load(Ordering::SeqCst) <= 4);
        let starts = starts.into_inner().unwrap();
        let minutes = (0..12)
            .map(|minute| starts.iter().filter(|start| start.as_secs() / 60 == minute).count());
        assert!(
            minutes.clone().all(|count| (80..=86).contains(&count)),
            "{:?}",
            minutes.collect::<Vec<_>>()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_down_ends_the_round_and_a_bad_target_does_not() {
        let targets: Vec<usize> = (0..40).collect();
        let asked = AtomicUsize::new(0);
        let refused = || Err(ApiError::Graphql(Vec::new().into()));
        let ask = |batch: Vec<usize>| {
            asked.fetch_add(1, Ordering::SeqCst);
            let down = batch.contains(&20);
            let answer = move |target: usize| match target {
                _ if down => Err(ApiError::Resting),
                3 => refused(),
                _ => Ok(()),
            };
            async move { Ok(batch.into_iter().map(answer).collect()) }
        };
        let layout = Layout { concurrency: 1, ..LAYOUT };
        let outcome = ask_all(&targets, layout, &CancellationToken::new(), ask).await.unwrap();
        assert_eq!((outcome.ok, outcome.failed, outcome.service_failed), (19, 21, true));
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}
