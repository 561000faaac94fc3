//! Lists that are null for a user: what is remembered of them, and what they
//! turn out to mean at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, failures, user};
use crate::{
    domain::{
        CheckFilter, ListField, Login, NullLists, Timestamp,
        failure::{AnswerContext, FailureAnswer, Verdict},
        null_list::{self, FieldMemory, NullMeaning},
    },
    store::{
        Store, StoreError,
        moment::{from_micros, to_micros},
    },
};

/// Users for whom lists were null in a run, to judge now that the run's other
/// answers are in.
#[derive(Debug)]
pub struct RecordNulls {
    /// Whose snapshot had lists that are null.
    pub snapshots: BTreeSet<Login>,
    /// Whose failing checks are null, and when they were asked for.
    pub checks: BTreeMap<Login, Timestamp>,
    /// What the operator says that null means.
    pub choice: NullLists,
    /// The checks the operator wants to hear of.
    pub filter: CheckFilter,
    /// For how long after its report no answer ends a failure.
    pub settle: chrono::TimeDelta,
    /// Now.
    pub at: Timestamp,
}

/// What the nulls of failing checks turned out to mean.
pub type JudgedNulls = BTreeMap<Login, NullMeaning>;

impl Store {
    /// Judges lists that were null, and records those that mean none.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_nulls(&self, record: RecordNulls) -> Result<JudgedNulls, StoreError> {
        self.write(record).await
    }
}

impl Transact for RecordNulls {
    type Outcome = JudgedNulls;

    fn with(self, reply: Reply<Self::Outcome>) -> Write {
        Write::Nulls(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<Self::Outcome, StoreError> {
        for login in &self.snapshots {
            self.judge_snapshot(tx, login)?;
        }
        let memory = memory(tx, ListField::FailingChecks)?;
        let mut judged = JudgedNulls::new();
        for (login, asked_at) in &self.checks {
            let since = note_null(tx, login, ListField::FailingChecks, *asked_at)?;
            let meaning = null_list::judge(self.choice, &memory, since, self.at);
            save_meaning(tx, login.as_str(), ListField::FailingChecks, meaning)?;
            if meaning == NullMeaning::Empty {
                self.end_failures(tx, login, *asked_at)?;
            }
            judged.insert(login.clone(), meaning);
        }
        Ok(judged)
    }
}

impl RecordNulls {
    /// Empties the lists of a snapshot whose null means none.
    fn judge_snapshot(&self, tx: &Savepoint<'_>, login: &Login) -> Result<(), StoreError> {
        let mut empty = BTreeSet::new();
        for (field, since) in nulls(tx, login)? {
            let Some(user_field) = field.user_field() else { continue };
            let meaning = null_list::judge(self.choice, &memory(tx, field)?, since, self.at);
            save_meaning(tx, login.as_str(), field, meaning)?;
            if meaning == NullMeaning::Empty {
                empty.insert(user_field);
            }
        }
        if empty.is_empty() { Ok(()) } else { user::empty_lists(tx, login, &empty, self.at) }
    }

    fn end_failures(
        &self,
        tx: &Savepoint<'_>,
        login: &Login,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let answer = FailureAnswer {
            login: login.clone(),
            verdict: Verdict::Fails(BTreeSet::new()),
            asked_at,
            answered_at: self.at,
            settle: self.settle,
        };
        let checks = super::check::all(tx)?;
        let mut known = AnswerContext { checks, ..AnswerContext::default() };
        failures::learn(tx, &answer, &mut known, &self.filter)
    }
}

/// Remembers that a list was given to a user.
pub(super) fn note_list(
    tx: &Savepoint<'_>,
    login: &Login,
    field: ListField,
    is_empty: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    remember(tx, field, is_empty, at)?;
    tx.prepare_cached("DELETE FROM list_null WHERE login = ?1 AND field = ?2")?
        .execute([login.as_str(), field.as_str()])?;
    Ok(())
}

/// Remembers that a list was given to anybody.
pub(super) fn remember(
    tx: &Savepoint<'_>,
    field: ListField,
    is_empty: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO list_memory (field, last_list_at, gave_empty) VALUES (?1, ?2, ?3)
         ON CONFLICT (field) DO UPDATE SET
            last_list_at = max(last_list_at, excluded.last_list_at),
            gave_empty = max(gave_empty, excluded.gave_empty)",
    )?
    .execute(params![field.as_str(), to_micros(at), is_empty])?;
    Ok(())
}

/// Remembers that a list is null for a user; returns since when.
pub(super) fn note_null(
    tx: &Savepoint<'_>,
    login: &Login,
    field: ListField,
    at: Timestamp,
) -> Result<Timestamp, StoreError> {
    let since = tx
        .prepare_cached(
            "INSERT INTO list_null (login, field, since, last_at) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (login, field) DO UPDATE SET last_at = max(last_at, excluded.last_at)
             RETURNING since",
        )?
        .query_row(params![login.as_str(), field.as_str(), to_micros(at)], |row| row.get(0))?;
    from_micros(since)
}

/// Keeps what a user's null was judged to mean.
pub(super) fn save_meaning(
    tx: &Savepoint<'_>,
    login: &str,
    field: ListField,
    meaning: NullMeaning,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE list_null SET meaning = ?3
         WHERE login = ?1 AND field = ?2 AND meaning != ?3",
    )?
    .execute(params![login, field.as_str(), meaning.as_str()])?;
    Ok(())
}

/// What the service gave for a field so far.
pub(super) fn memory(tx: &Savepoint<'_>, field: ListField) -> Result<FieldMemory, StoreError> {
    let row = tx
        .prepare_cached("SELECT last_list_at, gave_empty FROM list_memory WHERE field = ?1")?
        .query_row([field.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((last_list_at, gave_empty)) = row else { return Ok(FieldMemory::default()) };
    Ok(FieldMemory { last_list_at: Some(from_micros(last_list_at)?), gave_empty })
}

fn nulls(tx: &Savepoint<'_>, login: &Login) -> Result<Vec<(ListField, Timestamp)>, StoreError> {
    let mut select = tx.prepare_cached("SELECT field, since FROM list_null WHERE login = ?1")?;
    let mut rows = select.query([login.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let field = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let field = ListField::parse(field).ok_or(StoreError::Corrupt("list field"))?;
        found.push((field, from_micros(row.get(1)?)?));
    }
    Ok(found)
}
