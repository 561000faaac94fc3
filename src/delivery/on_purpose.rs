//! Events that are sent on purpose: parked events, and those that were left out. They are marked in
//! slices, so that deliveries are committed in between. After an interruption, the rest can be
//! requested again.

use crate::{
    domain::Timestamp,
    ledger::change::{Backfill, BackfillPlace, RetryParked},
    store::{Store, StoreError},
};

/// Maximum number of events that one commit marks: below 10 ms of the writer thread.
const AT_ONCE: usize = 5000;

/// Requests that parked events are sent again; returns their number.
///
/// # Errors
/// When the store cannot commit; events that were marked before are sent.
pub async fn send_parked(store: &Store) -> Result<u64, StoreError> {
    let (mut sent, mut next) = (0, Some(0));
    while let Some(after) = next {
        let resent = store.commit(RetryParked { after, limit: AT_ONCE }).await?;
        store.request_otlp_resend();
        sent += resent.events;
        next = resent.next;
    }
    Ok(sent)
}

/// Requests that events are sent which were left out since a moment, because the daemon had no OTLP
/// delivery; returns their number.
///
/// # Errors
/// When the store cannot commit; events that were marked before are sent.
pub async fn send_left_out(store: &Store, since: Timestamp) -> Result<u64, StoreError> {
    let (mut sent, mut next) = (0, Some(BackfillPlace::default()));
    while let Some(place) = next {
        let resent = store.commit(Backfill { since, place, limit: AT_ONCE }).await?;
        store.request_otlp_resend();
        sent += resent.events;
        next = resent.next;
    }
    Ok(sent)
}
