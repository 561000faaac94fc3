//! Lists that are null for a user: what they turn out to mean at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Savepoint;

use super::{
    Reply, Transact, Write, failures,
    null_memory::{memory, note_null, nulls, save_meaning},
    user,
};
use crate::{
    domain::{
        CheckFilter, ListField, Login, NullLists, Timestamp,
        failure::{AnswerContext, FailureAnswer, Verdict},
        null_list::{self, NullMeaning},
    },
    store::{Store, StoreError},
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
