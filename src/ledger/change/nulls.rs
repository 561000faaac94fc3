//! Lists that are null for a user, judged at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use strum::VariantArray as _;

use super::{failing, snapshot};
use crate::{
    domain::{
        CheckFilter, ListField, Login, NullLists, Timestamp,
        failure::{FailureAnswer, Verdict},
        null_list::{self, NullMeaning},
    },
    ledger::{Change, Facts, Fault, Keys, WholeTable},
};

/// Judges the lists that were null in a run, when all answers of the run are recorded.
#[derive(Debug, Clone)]
pub struct JudgeNulls {
    /// Users whose snapshot had null lists.
    pub snapshots: BTreeSet<Login>,
    /// Users whose failing checks are null, and when these were requested.
    pub checks: BTreeMap<Login, Timestamp>,
    /// The operator's choice of what null means.
    pub choice: NullLists,
    /// The checks that the operator's filter admits.
    pub filter: CheckFilter,
    /// For how long after its report no answer ends a failure.
    pub settle: chrono::TimeDelta,
    /// Now.
    pub at: Timestamp,
}

/// What each null of failing checks was judged to mean.
pub type JudgedNulls = BTreeMap<Login, NullMeaning>;

impl Change for JudgeNulls {
    type Outcome = JudgedNulls;

    fn keys(&self, keys: &mut Keys) {
        for login in &self.snapshots {
            snapshot::keys_of(login, keys);
        }
        for login in self.checks.keys() {
            failing::keys_of(login, keys);
            keys.nulls_of.insert(login.clone());
        }
        keys.whole.insert(WholeTable::ListMemory);
    }

    fn work(&self) -> usize {
        self.snapshots.len() + self.checks.len()
    }

    fn apply(&self, facts: &mut Facts) -> Result<JudgedNulls, Fault> {
        for login in &self.snapshots {
            self.judge_snapshot(facts, login)?;
        }
        let mut judged = JudgedNulls::new();
        for (login, asked_at) in &self.checks {
            let field = ListField::FailingChecks;
            let since = snapshot::record_null(facts, login, field, *asked_at)?;
            let meaning = judge_null(facts, (login, field), self.choice, since, self.at)?;
            if meaning == NullMeaning::Empty {
                let answer = FailureAnswer {
                    login: login.clone(),
                    verdict: Verdict::Fails(BTreeSet::new()),
                    asked_at: *asked_at,
                    answered_at: self.at,
                    settle: self.settle,
                };
                failing::record_answer(facts, &answer, &self.filter, self.at)?;
            }
            judged.insert(login.clone(), meaning);
        }
        Ok(judged)
    }
}

impl JudgeNulls {
    /// Empties those null lists of a snapshot that mean none.
    fn judge_snapshot(&self, facts: &mut Facts, login: &Login) -> Result<(), Fault> {
        let mut empty = BTreeSet::new();
        for &field in ListField::VARIANTS {
            let Some(user_field) = field.user_field() else { continue };
            let Some(null) = facts.nulls.get(&(login.clone(), field))?.copied() else { continue };
            let meaning = judge_null(facts, (login, field), self.choice, null.since, self.at)?;
            if meaning == NullMeaning::Empty {
                empty.insert(user_field);
            }
        }
        if empty.is_empty() {
            return Ok(());
        }
        snapshot::empty_lists(facts, login, &empty, self.at)
    }
}

/// Judges a null, and stores the judgement when it changed.
pub(super) fn judge_null(
    facts: &mut Facts,
    (login, field): (&Login, ListField),
    choice: NullLists,
    since: Timestamp,
    at: Timestamp,
) -> Result<NullMeaning, Fault> {
    let memory = facts.list_memory.get(&field)?.copied().unwrap_or_default();
    let meaning = null_list::judge(choice, &memory, since, at);
    let key = (login.clone(), field);
    if facts.nulls.get(&key)?.is_some_and(|null| null.meaning != meaning) {
        facts.nulls.update(&key, |null| null.meaning = meaning)?;
    }
    Ok(meaning)
}
