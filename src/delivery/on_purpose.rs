//! What is sent on purpose: parked events, and those that were left out. It is marked some at a
//! time, so that no delivery waits for it. Broken off, it is begun again for the rest.

use crate::{
    domain::Timestamp,
    ledger::change::{Backfill, BackfillPlace, RetryParked},
    store::{Store, StoreError},
};

/// Events that one commit marks at most: below 10 ms of the thread that writes.
const AT_ONCE: usize = 5000;

/// Has parked events sent again; returns how many.
///
/// # Errors
/// When the store cannot commit; those of the commits before are sent then.
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

/// Has what was left out since a moment sent, because there was no delivery; returns how many
/// events that are.
///
/// # Errors
/// When the store cannot commit; those of the commits before are sent then.
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
