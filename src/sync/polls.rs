//! Records answers and the ends of polls. An end that differs from the previous one is logged.

use crate::{
    clock,
    domain::{
        CheckFilter, PollEnd, PollOutcome, SOMEBODY, WatchSubject, redact_names, redact_user,
    },
    ledger::change::{RecordAddress, RecordAnswer},
    store::{Store, StoreError},
};

/// Records answers about users, in one transaction. If the store cannot decode a user's row, the
/// user's poll ends as malformed, and the other answers are recorded.
pub(super) async fn record_answers(
    store: &Store,
    answers: Vec<RecordAnswer>,
) -> Result<(), StoreError> {
    let asked: Vec<_> = answers
        .iter()
        .map(|answer| (answer.login.clone(), answer.end.clone().map(|(end, _)| end)))
        .collect();
    for ((login, end), recorded) in asked.into_iter().zip(store.commit_all(answers).await?) {
        let subject = WatchSubject::User(login.clone());
        match (recorded, end) {
            (Ok(recorded), Some(end)) => {
                log_outcome_change(&subject, recorded.outcome_before, &end);
            }
            (Ok(_), None) => {}
            (Err(error), _) if error.is_of_one_row() => {
                let end = unrecorded_end(&error);
                let answer = RecordAnswer {
                    login,
                    state: None,
                    checks: None,
                    filter: CheckFilter::default(),
                    end: Some((end.clone(), clock::now())),
                };
                log_outcome_change(&subject, store.commit(answer).await?.outcome_before, &end);
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(())
}

/// Records answers about addresses, in the same way.
pub(super) async fn record_addresses(
    store: &Store,
    answers: Vec<RecordAddress>,
) -> Result<(), StoreError> {
    let asked: Vec<_> = answers.iter().map(|answer| (answer.ip, answer.end.clone())).collect();
    for ((ip, end), before) in asked.into_iter().zip(store.commit_all(answers).await?) {
        match before {
            Ok(before) => log_outcome_change(&WatchSubject::Ip(ip), before, &end),
            Err(error) if error.is_of_one_row() => {
                let end = unrecorded_end(&error);
                let answer = RecordAddress { ip, answer: None, end: end.clone(), at: clock::now() };
                log_outcome_change(&WatchSubject::Ip(ip), store.commit(answer).await?, &end);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The end of a poll whose answer cannot be recorded.
fn unrecorded_end(error: &StoreError) -> PollEnd {
    PollEnd {
        outcome: PollOutcome::Malformed,
        ..PollEnd::refused(&format!("the answer cannot be recorded: {error}"))
    }
}

fn log_outcome_change(subject: &WatchSubject, before: Option<PollOutcome>, end: &PollEnd) {
    let now = end.outcome;
    if before.unwrap_or(PollOutcome::Answered) == now {
        return;
    }
    // Logs are stored and forwarded by others, so they name no people. The service's messages can
    // contain names.
    let reason = end.reason.as_deref().unwrap_or_default();
    let (subject, reason) = match subject {
        WatchSubject::User(login) => (SOMEBODY.to_owned(), redact_user(login, reason)),
        WatchSubject::Ip(ip) => (ip.to_string(), redact_names(reason)),
    };
    if now == PollOutcome::Answered {
        tracing::info!(subject, "poll is answered again");
    } else {
        tracing::warn!(
            subject,
            outcome = now.as_str(),
            reason,
            "poll is not answered; `cii-exporter watch list` shows whose"
        );
    }
}
