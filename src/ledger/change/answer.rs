//! The answer of one poll about a user: the snapshot, the failing checks and how the poll ended.
//! They are one change, so that a kill cannot store a part of them.

use std::collections::BTreeSet;

use super::{failing, snapshot};
use crate::{
    domain::{
        CheckFilter, ListField, Login, PollEnd, PollOutcome, Timestamp, UserObservation,
        WatchSubject,
        failure::{FailureAnswer, Verdict},
        on_poll,
        poll::{MAX_POLL_ERRORS, is_confirmed_unknown},
    },
    ledger::{Change, Facts, Fault, Keys, Poll, Subject, WholeTable},
};

/// Records what a poll answered about a user; every part may be missing.
#[derive(Debug, Clone)]
pub struct RecordAnswer {
    /// The login that was polled.
    pub login: Login,
    /// The user's state, and when the answer with it came.
    pub state: Option<(UserObservation, Timestamp)>,
    /// The checks that the user fails.
    pub checks: Option<FailureAnswer>,
    /// The checks that the operator's filter admits.
    pub filter: CheckFilter,
    /// How the poll ended, and when; none while only the end of the run can judge it.
    pub end: Option<(PollEnd, Timestamp)>,
}

/// What was stored before a recorded answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How the previous poll ended.
    pub outcome_before: Option<PollOutcome>,
}

impl RecordAnswer {
    fn names(&self) -> Option<&BTreeSet<String>> {
        match &self.checks.as_ref()?.verdict {
            Verdict::Fails(names) => Some(names),
            Verdict::Unknown | Verdict::Suspect => None,
        }
    }
}

impl Change for RecordAnswer {
    type Outcome = Recorded;

    fn keys(&self, keys: &mut Keys) {
        if self.state.is_some() {
            snapshot::keys_of(&self.login, keys);
            keys.spellings.insert(self.login.clone());
        }
        if self.checks.is_some() {
            failing::keys_of(&self.login, keys);
        }
        if let Some(names) = self.names() {
            keys.nulls_of.insert(self.login.clone());
            keys.whole.insert(WholeTable::ListMemory);
            failing::keys_of_names(names, keys);
        }
        if self.end.is_some() {
            keys.polls.insert(WatchSubject::User(self.login.clone()));
        }
    }

    fn work(&self) -> usize {
        // A snapshot is read, compared and written as a whole.
        1 + 4 * usize::from(self.state.is_some())
    }

    fn apply(&self, facts: &mut Facts) -> Result<Recorded, Fault> {
        let mut recorded = Recorded::default();
        if let Some((observation, at)) = &self.state {
            // The service may answer under another login; that is no spelling of this one.
            if let Some(login) = observation.login.as_ref().filter(|login| **login == self.login) {
                facts.record_spelling(login)?;
            }
            snapshot::record_state(facts, &self.login, observation, *at)?;
        }
        if let Some(answer) = &self.checks {
            if let Some(names) = self.names() {
                let field = ListField::FailingChecks;
                let is_empty = names.is_empty();
                snapshot::record_list(facts, &self.login, field, is_empty, answer.answered_at)?;
            }
            failing::record_answer(facts, answer, &self.filter, answer.answered_at)?;
        }
        if let Some((end, at)) = &self.end {
            let subject = WatchSubject::User(self.login.clone());
            recorded.outcome_before = end_poll(facts, &subject, end, *at)?;
        }
        Ok(recorded)
    }
}

/// Records how the poll of a subject ended; returns how the previous one ended.
pub(super) fn end_poll(
    facts: &mut Facts,
    subject: &WatchSubject,
    end: &PollEnd,
    at: Timestamp,
) -> Result<Option<PollOutcome>, Fault> {
    let mut end = end.clone();
    end.errors.truncate(MAX_POLL_ERRORS);
    let before = facts.polls.get(subject)?;
    let outcome_before = before.map(|poll| poll.end.outcome);
    let event = on_poll(subject, outcome_before, &end, at);
    let is_gone = |at| {
        before.is_some_and(|before| {
            is_confirmed_unknown(Some((before.end.outcome, before.since)), at)
        })
    };
    // An unchanged outcome is shown again when the grace of an unknown user ends.
    let is_shown = outcome_before != Some(end.outcome)
        || before.is_some_and(|before| is_gone(before.last_at) != is_gone(at));
    let poll = Poll {
        since: before
            .filter(|before| before.end.outcome == end.outcome)
            .map_or(at, |before| before.since),
        last_at: at,
        answered_at: if end.outcome == PollOutcome::Answered {
            Some(at)
        } else {
            before.and_then(|before| before.answered_at)
        },
        end,
    };
    facts.polls.put(subject.clone(), poll);
    if let Some(event) = event {
        facts.append(event);
    }
    if is_shown {
        facts.touch(match subject {
            WatchSubject::User(login) => Subject::User(login.clone()),
            WatchSubject::Ip(ip) => Subject::Ip(*ip),
        });
    }
    Ok(outcome_before)
}
