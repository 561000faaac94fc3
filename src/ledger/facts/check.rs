//! Checks: their words, titles and totals.

use std::{collections::BTreeSet, sync::Arc};

use super::Facts;
use crate::{
    domain::{
        CheckDefinition, CheckId, ConfiguredChecks, Timestamp, failure::Durations, fold_title,
    },
    ledger::{Check, CheckNumber, Fault, Subject, TitleChange, Totals},
};

impl Facts {
    /// Puts in what a store found for a check.
    pub fn load_check(&mut self, id: CheckId, check: Option<Check>) {
        if let Some(check) = &check {
            self.ids.entry(check.number).or_insert_with(|| id.clone());
        }
        self.checks.load(id, check);
    }

    /// Notes that a check cannot be understood.
    pub fn load_unreadable_check(&mut self, id: CheckId, reason: &str) {
        self.checks.load_unreadable(id, reason);
    }

    /// Puts in which checks have a folded title.
    pub fn load_title(&mut self, folded: String, checks: BTreeSet<CheckId>) {
        self.titles.load(folded, Some(checks));
    }

    /// A check.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn check(&self, id: &CheckId) -> Result<Option<&Check>, Fault> {
        self.checks.get(id)
    }

    /// The id of a check that was loaded, or made.
    #[must_use]
    pub fn check_id(&self, number: CheckNumber) -> Option<CheckId> {
        self.ids.get(&number).cloned()
    }

    /// The ids of all checks that were loaded and are there.
    ///
    /// # Errors
    /// When a row cannot be understood.
    pub fn known_checks(&self) -> Result<Vec<CheckId>, Fault> {
        self.checks.range(..).map(|row| row.map(|(id, _)| id.clone())).collect()
    }

    /// What the operator says of checks; for changes that asked for a check or
    /// for failures.
    ///
    /// # Errors
    /// When it cannot be understood, or no check was asked for.
    pub fn configured_checks(&self) -> Result<Arc<ConfiguredChecks>, Fault> {
        Ok(self.configured.get(&())?.cloned().unwrap_or_default())
    }

    /// The checks that a text in an answer can mean, whether by id or by title.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn checks_named(&self, text: &str) -> Result<BTreeSet<CheckId>, Fault> {
        let titled = self.titles.get(&fold_title(text))?;
        Ok(CheckId::new(text).into_iter().chain(titled.into_iter().flatten().cloned()).collect())
    }

    /// Gives a check these words, and notes that something of it was learnt.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn define_check(
        &mut self,
        id: &CheckId,
        definition: &Arc<CheckDefinition>,
        at: Timestamp,
    ) -> Result<CheckNumber, Fault> {
        self.give_words(id, definition, at)?;
        self.checks.update(id, |check| check.last_event_at = at)?;
        Ok(self.checks.get(id)?.map(|check| check.number).unwrap_or_default())
    }

    /// Gives a check these words, without anything having happened to it.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn give_words(
        &mut self,
        id: &CheckId,
        definition: &Arc<CheckDefinition>,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let known = self.checks.get(id)?.cloned();
        let title_before = known.as_ref().map(|check| fold_title(&check.definition.title));
        let mut check = known.unwrap_or_else(|| {
            self.effects.head.check += 1;
            Check {
                number: self.effects.head.check,
                definition: definition.clone(),
                version: 1,
                last_event_at: at,
                open: 0,
                totals: Totals::default(),
                durations: Durations::default(),
                last_failure_at: None,
            }
        });
        if has_other_words(&check.definition, definition) {
            check.version += 1;
        }
        check.definition = definition.clone();
        let number = check.number;
        self.checks.put(id.clone(), check);
        self.ids.insert(number, id.clone());
        let title = fold_title(&definition.title);
        if title_before.as_ref() != Some(&title) {
            self.retitle(id, number, title_before, title, at)?;
        }
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }

    /// Removes a check that nobody fails, with its words, titles and totals.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn remove_check(&mut self, id: &CheckId) -> Result<(), Fault> {
        let Some(title) = self.check(id)?.map(|check| fold_title(&check.definition.title)) else {
            return Ok(());
        };
        if self.titles.is_loaded(&title) {
            let mut checks = self.titles.get(&title)?.cloned().unwrap_or_default();
            checks.remove(id);
            self.titles.put(title, checks);
        }
        self.checks.remove(id);
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }

    /// Later changes of the group find the check by its new title, and not by its
    /// old one.
    fn retitle(
        &mut self,
        id: &CheckId,
        number: CheckNumber,
        before: Option<String>,
        folded: String,
        since: Timestamp,
    ) -> Result<(), Fault> {
        if let Some(before) = before.filter(|before| self.titles.is_loaded(before)) {
            let mut checks = self.titles.get(&before)?.cloned().unwrap_or_default();
            checks.remove(id);
            self.titles.put(before, checks);
        }
        if self.titles.is_loaded(&folded) {
            let mut checks = self.titles.get(&folded)?.cloned().unwrap_or_default();
            checks.insert(id.clone());
            self.titles.put(folded.clone(), checks);
        }
        self.effects.titles.push(TitleChange { number, folded, since });
        Ok(())
    }

    pub(super) fn change_check(
        &mut self,
        id: &CheckId,
        change: impl FnOnce(&mut Check),
    ) -> Result<(), Fault> {
        self.checks.update(id, change)?;
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }
}

/// Whether description or advice differ, which are kept once for each version.
fn has_other_words(before: &CheckDefinition, now: &CheckDefinition) -> bool {
    before.description != now.description || before.recommended_actions != now.recommended_actions
}
