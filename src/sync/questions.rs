//! Polls users: their state, and the checks that they fail.

use std::{collections::BTreeMap, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    polls, reason, renames,
    round::{self, Fate, Layout, TargetEnd},
};
use crate::{
    cii::{Answered, ApiError, Client, ErrorKind},
    clock,
    domain::{
        CheckFilter, ListAnswer, Login, NullLists, PollEnd, PollOutcome, RunRule, RunTally,
        Timestamp, UserObservation, WatchPolicy,
        failure::{FailureAnswer, Missing, Verdict},
        null_list::NullMeaning,
    },
    ledger::change::{JudgeNulls, RecordAnswer},
    store::{Store, StoreError},
};

/// Users whose null lists are judged in one transaction, so that no delivery waits for long.
const JUDGED_AT_ONCE: usize = 200;

/// The reason of refused polls when the service never gives failing checks.
const NULL_FOR_ALL: &str = "getEndUser: failingChecks is null for every user; failures cannot end";

/// The field that ends failures, as it is named in a reason.
const FAILING_CHECKS: &str = "getEndUser: failingChecks";

/// Polls users, and records the answers.
#[derive(Debug, Clone)]
pub struct UserQuestions {
    /// The client for the API.
    pub client: Client,
    /// The store for the answers.
    pub store: Store,
    /// Maximum number of parallel requests.
    pub concurrency: usize,
    /// The operator's filter of checks; a reload can change it.
    pub filter: watch::Receiver<CheckFilter>,
    /// The operator's choice of what a null list means.
    pub null_lists: NullLists,
    /// How many users get snapshots; a reload can change it.
    pub policy: watch::Receiver<WatchPolicy>,
    /// For how long after a failure was published no answer ends it.
    pub settle: chrono::TimeDelta,
}

/// A user to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) login: Login,
    /// Whether the user's state is requested, too.
    pub(super) is_watched: bool,
}

/// How much of what is polled a run covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// All users.
    All,
    /// Some of them, whose answers say nothing about the others.
    Some,
}

type State = Result<Answered<UserObservation>, ApiError>;
type Checks = Result<Answered<ListAnswer<Verdict>>, ApiError>;

/// The result of polling a user.
struct UserEnd {
    target: TargetEnd,
    deferred: Deferred,
}

/// The parts of a result that only the end of the run can judge.
#[derive(Default)]
struct Deferred {
    /// Set when the user's snapshot has null lists.
    null_snapshot: Option<Login>,
    /// Set when the failing checks are null: the user, when they were requested, and how the poll
    /// ends unless they are null for every user.
    null_checks: Option<(Login, Timestamp, PollEnd)>,
    /// A poll that was refused with a transient error.
    passing: Option<(Login, PollEnd)>,
    /// How the poll ended, if the end of the run cannot change it.
    end: Option<PollEnd>,
    /// Whether the API client has no right to the failing checks.
    no_right: bool,
    /// Whether the failing checks are a list.
    has_list: bool,
    /// The answer that the service does not know the user. Only the end of the run shows whether it
    /// can be trusted.
    unknown: Option<FailureAnswer>,
}

impl UserQuestions {
    /// Polls these users, spread over `window`. `coverage` says whether they are all that are polled.
    pub(super) async fn ask_about(
        &self,
        targets: &[Target],
        coverage: Coverage,
        window: Duration,
        stop: &CancellationToken,
    ) -> Result<RunTally, StoreError> {
        let run_begun_at = clock::now();
        let mut tally = RunTally::new("users", RunRule::Majority);
        let layout =
            Layout { batch_size: self.client.batch_size(), concurrency: self.concurrency, window };
        let mut deferred = Vec::new();
        let take = |end: UserEnd| {
            deferred.push(end.deferred);
            end.target
        };
        round::ask_all(targets, layout, stop, &mut tally, |batch| self.ask_batch(batch), take)
            .await?;
        if !stop.is_cancelled() {
            self.judge_unknown(&mut deferred, &mut tally).await?;
            self.judge_deferred(deferred, coverage, &mut tally).await?;
            renames::judge_renames(&self.store, run_begun_at).await?;
        }
        Ok(tally)
    }

    /// Requests states, and then failing checks regardless of the first result: a user whom the
    /// service no longer knows has no state, and for the failing checks that is an answer.
    async fn ask_batch(&self, batch: Vec<Target>) -> Result<Vec<UserEnd>, StoreError> {
        let logins = |watched_only: bool| -> Vec<Login> {
            let wanted = batch.iter().filter(|target| target.is_watched || !watched_only);
            wanted.map(|target| target.login.clone()).collect()
        };
        let watched = logins(true);
        let states = self.client.fetch_user_states(&watched).await;
        let observed_at = clock::now();
        let mut states: BTreeMap<_, _> = watched.into_iter().zip(states).collect();
        // Taken before the request: what happens during it may not be in the answer.
        let asked_at = clock::now();
        let checks = self.client.fetch_failing_checks(&logins(false)).await;
        let filter = self.filter.borrow().clone();
        let (mut ended, mut changes) = (Vec::with_capacity(batch.len()), Vec::new());
        for (Target { login, .. }, checks) in batch.into_iter().zip(checks) {
            let state = states.remove(&login);
            let target = target_end(&login, state.as_ref(), &checks);
            let mut deferred = deferred_parts(&login, state.as_ref(), &checks, asked_at);
            let end = deferred.end.take().map(|end| (end, clock::now()));
            let mut checks = self.failure_answer(&login, checks, asked_at);
            deferred.unknown = checks.take_if(|answer| answer.verdict == Verdict::Unknown);
            let state = state.and_then(Result::ok).map(|answer| (answer.value, observed_at));
            ended.push(UserEnd { target, deferred });
            changes.push(RecordAnswer { login, state, checks, filter: filter.clone(), end });
        }
        polls::record_answers(&self.store, changes).await?;
        Ok(ended)
    }

    fn failure_answer(
        &self,
        login: &Login,
        checks: Checks,
        asked_at: Timestamp,
    ) -> Option<FailureAnswer> {
        let Ok(Answered { value: ListAnswer::Given(verdict), .. }) = checks else { return None };
        let (login, settle) = (login.clone(), self.settle);
        Some(FailureAnswer { login, verdict, asked_at, answered_at: clock::now(), settle })
    }

    /// Records users whom the service does not know. When many of them are newly unknown, the
    /// service is more likely at fault, and no failure ends.
    async fn judge_unknown(
        &self,
        ends: &mut [Deferred],
        tally: &mut RunTally,
    ) -> Result<(), StoreError> {
        let unknown: Vec<_> = ends.iter_mut().filter_map(|end| end.unknown.take()).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let logins: Vec<_> = unknown.iter().map(|answer| answer.login.clone()).collect();
        let asked = usize::try_from(tally.counts().asked).unwrap_or(usize::MAX);
        let knows_somebody = tally.counts().ok > 0;
        let read = self.store.read(move |reader| reader.newly_unknown(&logins)).await?;
        let missing = Missing { asked, knows_somebody, ..read };
        let is_suspect = missing.is_suspect(clock::now());
        if is_suspect {
            tracing::warn!(
                users = missing.newly_unknown,
                asked,
                "the service does not know many users that it should; no failure ends by it"
            );
            tally.record_doubt(&format!(
                "getEndUser: {} of {asked} users are newly unknown; nothing ends by it",
                missing.newly_unknown
            ));
        }
        let changes = unknown.into_iter().map(|answer| {
            let verdict = if is_suspect { Verdict::Suspect } else { Verdict::Unknown };
            let (login, filter) = (answer.login.clone(), self.filter.borrow().clone());
            let checks = Some(FailureAnswer { verdict, ..answer });
            RecordAnswer { login, state: None, checks, filter, end: None }
        });
        polls::record_answers(&self.store, changes.collect()).await
    }

    /// Judges the deferred parts at the end of the run, when the lists of later batches are
    /// recorded, too.
    async fn judge_deferred(
        &self,
        ends: Vec<Deferred>,
        coverage: Coverage,
        tally: &mut RunTally,
    ) -> Result<(), StoreError> {
        // The client may have lost a right since lists were last given: that is no user's own null.
        let is_null_for_all = coverage == Coverage::All && !ends.iter().any(|end| end.has_list);
        // A right that is missing for one user's answer proves nothing about the others.
        let refused = ends.iter().filter(|end| end.no_right).count();
        if refused * 2 > ends.len() {
            tally.record_off(FAILING_CHECKS);
        } else if refused > 0 {
            tally.record_missing_right(FAILING_CHECKS);
        }
        let is_failed = tally.is_failed();
        for chunk in ends.chunks(JUDGED_AT_ONCE) {
            let nulls = chunk.iter().filter_map(|deferred| deferred.null_checks.as_ref());
            let judge = JudgeNulls {
                snapshots: chunk.iter().filter_map(|end| end.null_snapshot.clone()).collect(),
                checks: nulls.clone().map(|(login, at, _)| (login.clone(), *at)).collect(),
                choice: self.null_lists,
                filter: self.filter.borrow().clone(),
                settle: self.settle,
                at: clock::now(),
            };
            if judge.snapshots.is_empty() && judge.checks.is_empty() {
                continue;
            }
            let judged = self.store.commit(judge).await?;
            let mut polls = Vec::new();
            for (login, _, end) in nulls {
                let is_untold = match judged.get(login) {
                    Some(NullMeaning::UntoldForAll) => true,
                    Some(NullMeaning::Untold) => is_null_for_all,
                    Some(NullMeaning::Empty) | None => false,
                };
                if is_untold {
                    tally.record_untold(NULL_FOR_ALL);
                }
                if end.outcome == PollOutcome::Answered {
                    let end = if is_untold { PollEnd::refused(NULL_FOR_ALL) } else { end.clone() };
                    polls.push(end_only_record(login.clone(), end));
                }
            }
            polls::record_answers(&self.store, polls).await?;
        }
        // In a run that failed, these errors are the service's fault and not the subject's.
        let passing = ends.into_iter().filter_map(|end| end.passing).filter(|_| !is_failed);
        let polls = passing.map(|(login, end)| end_only_record(login, end)).collect();
        polls::record_answers(&self.store, polls).await
    }
}

/// The end of a poll, without an answer.
fn end_only_record(login: Login, end: PollEnd) -> RecordAnswer {
    let end = Some((end, clock::now()));
    RecordAnswer { login, state: None, checks: None, filter: CheckFilter::default(), end }
}

/// The parts of an answer that only the end of the run can judge, and how the poll ended, if that
/// is certain.
fn deferred_parts(
    login: &Login,
    state: Option<&State>,
    checks: &Checks,
    asked_at: Timestamp,
) -> Deferred {
    let mut deferred = Deferred {
        no_right: lacks_checks_right(checks),
        has_list: matches!(
            checks,
            Ok(Answered { value: ListAnswer::Given(Verdict::Fails(_)), .. })
        ),
        ..Deferred::default()
    };
    if let Some(Ok(answer)) = state
        && !answer.value.null_lists.is_empty()
    {
        deferred.null_snapshot = Some(login.clone());
    }
    let Some(end) = poll_end(state, checks) else { return deferred };
    let has_state = matches!(state, Some(Ok(_)));
    let is_null = matches!(checks, Ok(Answered { value: ListAnswer::Null, .. }));
    let is_passing = |answer: Option<&ApiError>| answer.is_some_and(ApiError::is_transient);
    let state_error = state.and_then(|state| state.as_ref().err());
    if is_null && end.outcome == PollOutcome::Answered {
        deferred.null_checks = Some((login.clone(), asked_at, end));
    } else if is_null {
        // The end of the poll is certain; the meaning of null is judged later.
        deferred.null_checks = Some((login.clone(), asked_at, end.clone()));
        deferred.end = Some(end);
    } else if end.outcome == PollOutcome::Refused
        && !has_state
        && (is_passing(state_error) || is_passing(checks.as_ref().err()))
    {
        deferred.passing = Some((login.clone(), end));
    } else {
        deferred.end = Some(end);
    }
    deferred
}

/// How a user's poll ended; none when only the service is at fault.
fn poll_end(state: Option<&State>, checks: &Checks) -> Option<PollEnd> {
    match (state, checks) {
        (Some(Err(error)), _) | (_, Err(error)) => reason::poll_end(error),
        (_, Ok(Answered { value: ListAnswer::Given(Verdict::Unknown), errors })) => Some(PollEnd {
            outcome: PollOutcome::NotFound,
            errors: reason::poll_errors(errors),
            reason: Some("getEndUser: the service does not know the user".to_owned()),
            ..PollEnd::answered()
        }),
        (_, Ok(Answered { value: ListAnswer::Missing, errors })) => Some(PollEnd {
            errors: reason::poll_errors(errors),
            ..PollEnd::refused(&missing_checks_reason(errors.first().map(ToString::to_string)))
        }),
        (state, Ok(_)) => {
            let errors = state.and_then(|state| state.as_ref().ok()).map(|answer| &answer.errors);
            Some(reason::answered_with_errors(errors.map_or(&[], |errors| &**errors)))
        }
    }
}

/// The user's result in the run: answered when both requests were.
fn target_end(login: &Login, state: Option<&State>, checks: &Checks) -> TargetEnd {
    let checks_fate = match checks {
        Ok(Answered { value: ListAnswer::Given(Verdict::Unknown), .. }) => Fate::NotFound,
        _ if lacks_checks_right(checks) => Fate::Refused,
        Ok(Answered { value: ListAnswer::Missing, errors }) => {
            Fate::Failed(missing_checks_reason(errors.first().map(ToString::to_string)))
        }
        Ok(_) => Fate::Answered,
        Err(error) => Fate::from_error(error),
    };
    let state_fate =
        state.map(|state| state.as_ref().map_or_else(Fate::from_error, |_| Fate::Answered));
    let fate = match (state_fate, checks_fate) {
        (None, checks) => checks,
        (Some(down @ Fate::ServiceDown(_)), _) | (_, down @ Fate::ServiceDown(_)) => down,
        (Some(failed @ Fate::Failed(_)), _) | (_, failed @ Fate::Failed(_)) => failed,
        // The part to which there is a right decides.
        (Some(Fate::Refused), other) | (Some(other), Fate::Refused) => other,
        (Some(Fate::NotFound), _) | (_, Fate::NotFound) => Fate::NotFound,
        (Some(Fate::Answered), Fate::Answered) => Fate::Answered,
    };
    let errors = [state.and_then(|state| state.as_ref().err()), checks.as_ref().err()];
    let no_right = errors.into_iter().flatten().find_map(|error| match error {
        ApiError::NoRight { field } => Some(*field),
        _ => None,
    });
    TargetEnd { no_right, ..TargetEnd::new(login.to_string(), fate) }
}

/// Whether the answer has no failing checks because a right is missing.
fn lacks_checks_right(checks: &Checks) -> bool {
    matches!(checks, Ok(Answered { value: ListAnswer::Missing, errors }) if errors.kind() == ErrorKind::NoRight)
}

fn missing_checks_reason(error: Option<String>) -> String {
    error.unwrap_or_else(|| "getEndUser: failingChecks cannot be read".to_owned())
}
