//! Invariants for every answer of a collector.

use std::time::Duration;

use super::{
    backoff::{Failures, MOST_PATIENT},
    sender,
};
use crate::domain::{Timestamp, retry_after};

/// Reads an answer's body in both encodings.
pub(crate) fn read_answer(body: &[u8]) {
    sender::fuzz::read_answer(body);
}

/// Waits as `Retry-After` asks, within bounds.
///
/// # Panics
/// When an invariant does not hold.
pub(crate) fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let asked = retry_after(text, now)?;
    let wait = Failures::default().next_wait(Some(asked));
    assert!(wait <= MOST_PATIENT, "a collector can ask for {wait:?}");
    Some(asked)
}
