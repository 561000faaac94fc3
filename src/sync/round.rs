//! One round of questions, a few at a time.

use std::{future::Future, pin::pin};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::Outcome;
use crate::{
    cii::{ApiError, HttpError},
    store::StoreError,
};

/// What asking about one target ended with.
pub(super) type Answered = Result<(), AskError>;

/// Why a target's question was not answered, or its answer not recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks about every target. When the service as a whole refuses, the rest of
/// the round is given up: asking on would only make it worse.
///
/// # Errors
/// When an answer cannot be recorded.
pub(super) async fn ask_all<T, F>(
    targets: Vec<T>,
    concurrency: usize,
    stop: &CancellationToken,
    ask: impl Fn(T) -> F,
) -> Result<Outcome, StoreError>
where
    F: Future<Output = Answered>,
{
    let count = targets.len();
    let mut outcome = Outcome::default();
    // After the stop signal no question is begun, and those in hand end.
    let begun = stream::iter(targets).take_until(stop.cancelled());
    let mut answers = pin!(begun.map(ask).buffer_unordered(concurrency));
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(()) => outcome.ok += 1,
            Err(AskError::Store(error)) => return Err(error),
            Err(AskError::Api(error)) => {
                outcome.failed += 1;
                let is_about_target = matches!(error, ApiError::Graphql(_));
                if !is_about_target && !outcome.service_failed {
                    tracing::warn!(%error, "the service did not answer");
                } else {
                    tracing::debug!(%error, "a target failed");
                }
                outcome.service_failed |= !is_about_target;
                if concerns_all(&error) {
                    outcome.failed = count - outcome.ok;
                    break;
                }
            }
        }
    }
    Ok(outcome)
}

/// Whether every other question would end the same way.
const fn concerns_all(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Token(_)
            | ApiError::Unauthorized
            | ApiError::Http(HttpError::Throttled { .. } | HttpError::Connect(_))
    )
}
