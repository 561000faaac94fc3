//! One round of requests: in batches, a few of them in parallel, spread evenly over a time window.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reason;
use crate::{cii::ApiError, domain::RunTally, store::StoreError};

/// The result of polling one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetEnd {
    /// The target's name in the run's reason.
    pub(super) name: String,
    /// How the poll ended.
    pub(super) fate: Fate,
    /// Rows of its list that could be read.
    pub(super) rows: usize,
    /// Rows of its list that could not be read.
    pub(super) skipped: usize,
    /// The root field to which the API client has no right.
    pub(super) no_right: Option<&'static str>,
}

/// How the poll of one target ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// There was an answer.
    Answered,
    /// The service does not know the target, which is an answer.
    NotFound,
    /// There was no answer, for this reason.
    Failed(String),
    /// There was no answer, because the service as a whole fails.
    ServiceDown(String),
    /// There was no answer, because a right is missing.
    Refused,
}

impl TargetEnd {
    /// A result with this fate.
    pub(super) fn new(name: String, fate: Fate) -> Self {
        Self { name, fate, rows: 0, skipped: 0, no_right: None }
    }

    /// The result of a target with a request of its own.
    pub(super) fn from_answer<T>(name: String, answer: &Result<T, ApiError>) -> Self {
        let no_right = match answer {
            Err(ApiError::NoRight { field }) => Some(*field),
            _ => None,
        };
        let fate = answer.as_ref().map_or_else(Fate::from_error, |_| Fate::Answered);
        Self { no_right, ..Self::new(name, fate) }
    }

    /// Counts the result into its run; returns whether the run must stop.
    fn count_into(&self, tally: &mut RunTally) -> bool {
        tally.count_rows(self.rows, self.skipped);
        if let Some(field) = self.no_right {
            tally.record_off(field);
        }
        match &self.fate {
            Fate::Answered => tally.count_answered(1),
            Fate::NotFound => tally.count_not_found(),
            Fate::Failed(reason) | Fate::ServiceDown(reason) => {
                tally.record_failed(&self.name, reason);
            }
            Fate::Refused => tally.count_refused(),
        }
        matches!(self.fate, Fate::ServiceDown(_))
    }
}

impl Fate {
    pub(super) fn from_error(error: &ApiError) -> Self {
        match error {
            ApiError::NoRight { .. } => Self::Refused,
            error if error.is_not_found() => Self::NotFound,
            error if reason::is_service_wide(error) => {
                Self::ServiceDown(reason::describe_error(error))
            }
            error => Self::Failed(reason::describe_error(error)),
        }
    }
}

/// How a round's requests are arranged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Targets per batch.
    pub(super) batch_size: usize,
    /// Maximum number of parallel batches.
    pub(super) concurrency: usize,
    /// The time over which the batches begin.
    pub(super) window: Duration,
}

/// Polls every target, and counts the results; `take` extracts the result from what `ask` returned.
/// When the service as a whole fails, the rest of the round is not requested: more requests would
/// add to its load.
///
/// # Errors
/// When an answer cannot be recorded.
pub(super) async fn ask_all<T: Clone, R, F>(
    targets: &[T],
    layout: Layout,
    stop: &CancellationToken,
    tally: &mut RunTally,
    ask: impl Fn(Vec<T>) -> F,
    mut take: impl FnMut(R) -> TargetEnd,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<Vec<R>, StoreError>>,
{
    let batches = targets.chunks(layout.batch_size.max(1)).map(<[T]>::to_vec);
    let (count, begun) = (batches.len(), Instant::now());
    let in_time = stream::iter(batches.enumerate()).then(|(position, batch)| async move {
        let share = layout.window.mul_f64(window_share(position, count));
        tokio::time::sleep_until(begun + share).await;
        batch
    });
    // After the stop signal no request begins, and requests in progress end.
    let in_time = in_time.take_until(stop.cancelled());
    let mut answers = pin!(in_time.map(ask).buffer_unordered(layout.concurrency));
    let mut ended = 0;
    while let Some(batch) = answers.next().await {
        let mut service_down = None;
        for target in batch? {
            let target = take(target);
            ended += 1;
            if target.count_into(tally)
                && let Fate::ServiceDown(reason) = target.fate
            {
                service_down.get_or_insert(reason);
            }
        }
        if let Some(reason) = service_down {
            tally.record_abort(&reason, targets.len() - ended);
            return Ok(());
        }
    }
    Ok(())
}

/// The part of the window that has passed when a batch begins.
fn window_share(position: usize, count: usize) -> f64 {
    let exact = |number| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    exact(position) / exact(count.max(1))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::domain::{JobOutcome, RunRule};

    const LAYOUT: Layout =
        Layout { batch_size: 10, concurrency: 4, window: Duration::from_mins(12) };

    fn tally() -> RunTally {
        RunTally::new("users", RunRule::Majority)
    }

    fn end(target: usize, fate: Fate) -> TargetEnd {
        TargetEnd::new(target.to_string(), fate)
    }

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
                Ok(batch.into_iter().map(|target| end(target, Fate::Answered)).collect())
            }
        };
        let mut tally = tally();
        let stop = CancellationToken::new();
        ask_all(&targets, LAYOUT, &stop, &mut tally, ask, |end| end).await.unwrap();
        let counts = tally.end().counts;
        assert_eq!((counts.ok, counts.failed), (10_000, 0));
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
        let ask = |batch: Vec<usize>| {
            asked.fetch_add(1, Ordering::SeqCst);
            let down = batch.contains(&20);
            let answer = move |target: usize| match target {
                _ if down => {
                    end(target, Fate::from_error(&ApiError::Resting { cause: "no".into() }))
                }
                3 => end(target, Fate::from_error(&ApiError::Graphql(Vec::new().into()))),
                _ => end(target, Fate::Answered),
            };
            async move { Ok(batch.into_iter().map(answer).collect()) }
        };
        let layout = Layout { concurrency: 1, ..LAYOUT };
        let mut tally = tally();
        let stop = CancellationToken::new();
        ask_all(&targets, layout, &stop, &mut tally, ask, |end| end).await.unwrap();
        let end = tally.end();
        assert_eq!((end.counts.ok, end.counts.failed, end.counts.asked), (19, 21, 40));
        assert_eq!(end.outcome, JobOutcome::Failed);
        assert!(end.reason.unwrap().contains("gave up: 19 of 40 users answered"));
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
}
