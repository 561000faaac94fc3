//! Recording how polls ended, with a line in the log when one ends in another
//! way than before.

use crate::{
    domain::{PollEnd, PollOutcome, Timestamp, WatchSubject},
    store::{RecordPoll, Store, StoreError},
};

pub(super) async fn record(
    store: &Store,
    subject: WatchSubject,
    end: PollEnd,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (name, now, reason) = (subject.text(), end.outcome, end.reason.clone());
    let before = store.record_poll(RecordPoll { subject, end, at }).await?;
    if before.unwrap_or(PollOutcome::Answered) == now {
        return Ok(());
    }
    if now == PollOutcome::Answered {
        tracing::info!(subject = name, "poll is answered again");
    } else {
        let reason = reason.unwrap_or_default();
        tracing::warn!(subject = name, outcome = now.as_str(), reason, "poll is not answered");
    }
    Ok(())
}
