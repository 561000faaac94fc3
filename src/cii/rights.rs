//! Remembers the operations for which the API client lacks the right, so that they are not sent at
//! every run.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use strum::VariantArray;
use tokio::time::Instant;

use super::{
    ApiError,
    meters::{Meters, Operation},
};

/// How long an operation is not sent after it was refused. Rights are granted by hand in the
/// console. Four requests a day detect that without a restart of the exporter.
const PAUSE: Duration = Duration::from_hours(6);

/// The known rights of the API client.
#[derive(Debug)]
pub(super) struct Rights {
    states: Mutex<[State; Operation::VARIANTS.len()]>,
    meters: Meters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known.
    Unknown,
    /// The last request was answered.
    Granted,
    /// A single subject was refused after another one was answered.
    RefusedOnce,
    Missing {
        until: Instant,
    },
}

impl Rights {
    pub(super) fn new(meters: Meters) -> Self {
        Self { states: Mutex::new([State::Unknown; Operation::VARIANTS.len()]), meters }
    }

    /// Returns an error when the operation was refused less than [`PAUSE`] ago.
    pub(super) fn check_right(&self, operation: Operation) -> Result<(), ApiError> {
        match self.lock()[operation as usize] {
            State::Missing { until } if Instant::now() < until => {
                Err(ApiError::NoRight { field: operation.into_str() })
            }
            _ => Ok(()),
        }
    }

    /// Records that an operation was answered.
    pub(super) fn record_grant(&self, operation: Operation) {
        let before = std::mem::replace(&mut self.lock()[operation as usize], State::Granted);
        if matches!(before, State::Missing { .. }) {
            self.meters.set_right_missing(operation, false);
            tracing::info!(operation = operation.into_str(), "the API client has the right again");
        }
    }

    /// Records that an operation was refused for all subjects of a request, and returns whether
    /// that shows a missing right. A single subject (`is_lone`) may be hidden from this client, so
    /// it shows a missing right only when no other subject was answered in between.
    pub(super) fn record_refusal(&self, operation: Operation, is_lone: bool) -> bool {
        let mut states = self.lock();
        let state = &mut states[operation as usize];
        if is_lone && *state == State::Granted {
            *state = State::RefusedOnce;
            return false;
        }
        let before = std::mem::replace(state, State::Missing { until: Instant::now() + PAUSE });
        drop(states);
        if !matches!(before, State::Missing { .. }) {
            self.meters.set_right_missing(operation, true);
            tracing::warn!(
                operation = operation.into_str(),
                "the API client has no right to this operation, which is not sent for 6 hours; \
                 give the API client the right in the console and restart the exporter, or \
                 disable the job that needs it"
            );
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, [State; Operation::VARIANTS.len()]> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Operation = Operation::ListEndUsers;

    #[tokio::test(start_paused = true)]
    async fn a_refused_operation_is_not_sent_for_six_hours() {
        let meters = Meters::new().unwrap();
        let rights = Rights::new(meters.clone());
        assert_eq!(rights.check_right(LIST), Ok(()));
        assert!(rights.record_refusal(LIST, false));
        assert_eq!(meters.is_right_missing(LIST), 1);
        assert_eq!(rights.check_right(LIST), Err(ApiError::NoRight { field: "listEndUsers" }));
        assert_eq!(rights.check_right(Operation::GetEndUser), Ok(()));
        tokio::time::advance(PAUSE).await;
        assert_eq!(rights.check_right(LIST), Ok(()));
        assert_eq!(meters.is_right_missing(LIST), 1);
        rights.record_grant(LIST);
        assert_eq!((rights.check_right(LIST), meters.is_right_missing(LIST)), (Ok(()), 0));
    }

    #[tokio::test]
    async fn one_subject_that_is_refused_among_others_shows_nothing() {
        let rights = Rights::new(Meters::new().unwrap());
        let operation = Operation::GetEndUser;
        for _ in 0..3 {
            rights.record_grant(operation);
            assert!(!rights.record_refusal(operation, true));
        }
        assert!(rights.record_refusal(operation, true));
        let rights = Rights::new(Meters::new().unwrap());
        assert!(rights.record_refusal(operation, true));
    }
}
