//! Failures, and answers of the API that end or open them.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, check, event, listing, null_memory};
use crate::{
    domain::{
        CheckFilter, CheckId, ListField, Login, Timestamp,
        failure::{self, AnswerContext, FailureAnswer, OpenFailure, Verdict},
    },
    store::{
        Store, StoreError,
        moment::{from_micros, to_micros},
    },
};

/// An answer about a user's failures to record.
#[derive(Debug)]
pub struct RecordFailures {
    /// What the service says.
    pub answer: FailureAnswer,
    /// The checks the operator wants to hear of.
    pub filter: CheckFilter,
}

impl Store {
    /// Records what the service answered about the checks that a user fails.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_failures(&self, record: RecordFailures) -> Result<(), StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordFailures {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::Failures(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        if let Verdict::Fails(checks) = &self.answer.verdict {
            let (login, field) = (&self.answer.login, ListField::FailingChecks);
            null_memory::note_list(tx, login, field, checks.is_empty(), self.answer.answered_at)?;
        }
        let mut known = AnswerContext { checks: check::all(tx)?, ..AnswerContext::default() };
        learn(tx, &self.answer, &mut known, &self.filter)
    }
}

/// Lets an answer change what is known of its user. The checks in `known` are
/// the caller's; the rest of it is read here.
pub(super) fn learn(
    tx: &Savepoint<'_>,
    answer: &FailureAnswer,
    known: &mut AnswerContext,
    filter: &CheckFilter,
) -> Result<(), StoreError> {
    recall(tx, &answer.login, known)?;
    let Some(decision) = failure::on_answer(answer, known, filter) else {
        return Ok(());
    };
    for found in &decision.opened {
        check::save(tx, &found.id, &found.definition, answer.answered_at)?;
        let counted = usize::from(!decision.is_baseline);
        check::count(tx, &found.id, &found.definition.severity, counted, 0)?;
        let at = answer.asked_at;
        open(tx, (&found.id, &answer.login), at, at, None)?;
    }
    for check_id in &decision.confirmed {
        confirm(tx, check_id, &answer.login, answer.asked_at)?;
    }
    for (check_id, severity) in &decision.resolved {
        check::touch(tx, check_id, answer.answered_at)?;
        check::count(tx, check_id, severity, 0, 1)?;
        resolve(tx, check_id, &answer.login, answer.answered_at)?;
    }
    for entry in &decision.events {
        event::append(tx, entry)?;
    }
    save_progress(tx, answer, decision.unknown_since)
}

/// Opens a failure.
pub(super) fn open(
    tx: &Savepoint<'_>,
    (check_id, login): (&CheckId, &Login),
    opened_at: Timestamp,
    reported_at: Timestamp,
    delivery_seq: Option<i64>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO failure (check_id, login, opened_at, reported_at, delivery_seq)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        check_id.as_str(),
        login.as_str(),
        to_micros(opened_at),
        to_micros(reported_at),
        delivery_seq,
    ])?;
    Ok(())
}

/// The service said once more that a failure is open.
pub(super) fn confirm(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    login: &Login,
    reported_at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE failure SET
            reported_at = max(reported_at, ?3),
            opened_at = min(opened_at, ?3)
         WHERE check_id = ?1 AND login = ?2 AND resolved_at IS NULL",
    )?
    .execute(params![check_id.as_str(), login.as_str(), to_micros(reported_at)])?;
    Ok(())
}

fn resolve(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    login: &Login,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE failure SET resolved_at = ?3
         WHERE check_id = ?1 AND login = ?2 AND resolved_at IS NULL",
    )?
    .execute(params![check_id.as_str(), login.as_str(), to_micros(at)])?;
    Ok(())
}

/// Reads what is known of a user before an answer.
fn recall(tx: &Savepoint<'_>, login: &Login, known: &mut AnswerContext) -> Result<(), StoreError> {
    let progress = tx
        .prepare_cached("SELECT as_of, unknown_since FROM failure_answer WHERE login = ?1")?
        .query_row([login.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        })
        .optional()?;
    let (as_of, unknown_since) =
        progress.map_or((None, None), |(as_of, since)| (Some(as_of), since));
    known.open = open_failures(tx, login)?;
    known.as_of = as_of.max(listing::verdict_as_of(tx, login)?).map(from_micros).transpose()?;
    known.unknown_since = unknown_since.map(from_micros).transpose()?;
    Ok(())
}

fn open_failures(
    tx: &Savepoint<'_>,
    login: &Login,
) -> Result<BTreeMap<CheckId, OpenFailure>, StoreError> {
    let mut select = tx.prepare_cached(
        "SELECT check_id, reported_at, opened_at FROM failure
         WHERE login = ?1 AND resolved_at IS NULL",
    )?;
    let mut rows = select.query([login.as_str()])?;
    let mut open = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let id = CheckId::new(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
        let failure = OpenFailure {
            reported_at: from_micros(row.get(1)?)?,
            opened_at: from_micros(row.get(2)?)?,
        };
        open.insert(id.ok_or(StoreError::Corrupt("check id"))?, failure);
    }
    Ok(open)
}

fn save_progress(
    tx: &Savepoint<'_>,
    answer: &FailureAnswer,
    unknown_since: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        // One that counts for less than its moment does not move it back.
        "INSERT INTO failure_answer (login, as_of, unknown_since) VALUES (?1, ?2, ?3)
         ON CONFLICT (login) DO UPDATE SET
            as_of = iif(?4, max(as_of, excluded.as_of), excluded.as_of),
            unknown_since = excluded.unknown_since",
    )?
    .execute(params![
        answer.login.as_str(),
        to_micros(answer.as_of()),
        unknown_since.map(to_micros),
        !answer.settle.is_zero(),
    ])?;
    Ok(())
}
