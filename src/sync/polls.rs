//! Recording what polls say and how they ended, with a line in the log when one ends
//! in another way than before.

use crate::{
    domain::{PollOutcome, WatchSubject},
    ledger::change::{RecordAddress, RecordAnswer},
    store::{Store, StoreError},
};

/// Records answers about users, in one transaction.
pub(super) async fn record_answers(
    store: &Store,
    answers: Vec<RecordAnswer>,
) -> Result<(), StoreError> {
    let ends: Vec<_> = answers
        .iter()
        .map(|answer| {
            let (end, _) = answer.end.as_ref()?;
            let subject = WatchSubject::User(answer.login.clone());
            Some((subject, end.outcome, end.reason.clone()))
        })
        .collect();
    for (end, recorded) in ends.into_iter().zip(store.commit_all(answers).await?) {
        let recorded = recorded?;
        if let Some((subject, now, reason)) = end {
            log(&subject, recorded.outcome_before, now, reason);
        }
    }
    Ok(())
}

/// Records answers about addresses, in one transaction.
pub(super) async fn record_addresses(
    store: &Store,
    answers: Vec<RecordAddress>,
) -> Result<(), StoreError> {
    let ends: Vec<_> = answers
        .iter()
        .map(|answer| (WatchSubject::Ip(answer.ip), answer.end.outcome, answer.end.reason.clone()))
        .collect();
    for ((subject, now, reason), before) in ends.into_iter().zip(store.commit_all(answers).await?) {
        log(&subject, before?, now, reason);
    }
    Ok(())
}

fn log(
    subject: &WatchSubject,
    before: Option<PollOutcome>,
    now: PollOutcome,
    reason: Option<String>,
) {
    if before.unwrap_or(PollOutcome::Answered) == now {
        return;
    }
    let subject = subject.text();
    if now == PollOutcome::Answered {
        tracing::info!(subject, "poll is answered again");
    } else {
        let reason = reason.unwrap_or_default();
        tracing::warn!(subject, outcome = now.as_str(), reason, "poll is not answered");
    }
}
