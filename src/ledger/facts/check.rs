//! Checks: their definitions, titles and totals.

use std::{collections::BTreeMap, sync::Arc};

use super::Facts;
use crate::{
    domain::{
        CheckDefinition, CheckId, ConfiguredChecks, Timestamp,
        failure::{self, CheckName, Durations, Meaning, Titled, Trend},
        fold_title,
    },
    ledger::{Check, CheckNumber, Fault, Subject, TitleChange, Totals},
};

impl Facts {
    /// Records what the store loaded for a check.
    pub fn load_check(&mut self, id: CheckId, check: Option<Check>) {
        if let Some(check) = &check {
            self.ids.load(check.number, Some(id.clone()));
        }
        self.checks.load(id, check);
    }

    /// Records that a check's row cannot be decoded.
    pub fn load_unreadable_check(&mut self, id: CheckId, reason: &str) {
        self.checks.load_unreadable(id, reason);
    }

    /// Records which checks have or had a folded title.
    pub fn load_title(&mut self, folded: String, titled: Titled) {
        self.titles.load(folded, Some(titled));
    }

    /// A check.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn check(&self, id: &CheckId) -> Result<Option<&Check>, Fault> {
        self.checks.get(id)
    }

    /// The id of a check that was loaded or created.
    ///
    /// # Errors
    /// When it was not loaded.
    pub fn check_id(&self, number: CheckNumber) -> Result<Option<CheckId>, Fault> {
        Ok(if self.ids.is_loaded(&number) { self.ids.get(&number)?.cloned() } else { None })
    }

    /// Whether a check is hidden: its failures are stored without events. An unknown check is not
    /// hidden.
    pub(super) fn is_hidden(&self, number: CheckNumber) -> Result<bool, Fault> {
        let Some(id) = self.check_id(number)? else { return Ok(false) };
        Ok(self.check(&id)?.is_some_and(|check| check.is_hidden))
    }

    /// Records that every check was loaded.
    pub fn load_all_checks(&mut self) {
        self.all_checks.load(());
    }

    /// The ids of all checks. A check whose row cannot be decoded is left out, so that it does not
    /// block what is done to all others.
    ///
    /// # Errors
    /// When not all checks were loaded.
    pub fn known_checks(&self) -> Result<Vec<CheckId>, Fault> {
        self.all_checks.get()?;
        let known = self.checks.range(..).filter_map(Result::ok);
        Ok(known.map(|(id, _)| id.clone()).collect())
    }

    /// The operator's configuration of checks. It is loaded with any check or failure.
    ///
    /// # Errors
    /// When it cannot be decoded, or no check was loaded.
    pub fn configured_checks(&self) -> Result<Arc<ConfiguredChecks>, Fault> {
        Ok(self.configured.get(&())?.cloned().unwrap_or_default())
    }

    /// The meaning of a text in an answer; none when it can name no check.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded.
    pub fn meaning(&self, text: &str) -> Result<Option<Meaning>, Fault> {
        let titled = self.titles.get(&fold_title(text))?.cloned().unwrap_or_default();
        let mut known = BTreeMap::new();
        let candidates = titled.current.iter().chain(&titled.former).cloned();
        for id in CheckId::from_answer_text(text).into_iter().chain(candidates) {
            if let Some(check) = self.check(&id)? {
                known.insert(id.clone(), check.name(&id));
            }
        }
        let configured = self.configured_checks()?;
        Ok(failure::meaning(text, &titled, &configured, |id| known.get(id).cloned()))
    }

    /// Sets a check's definition, and records the event. A check that is created is hidden when
    /// `is_hidden` is set; an existing one keeps its state.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn define_check(
        &mut self,
        name: &CheckName,
        is_hidden: bool,
        at: Timestamp,
    ) -> Result<CheckNumber, Fault> {
        let number = self.set_words(name, is_hidden, at)?;
        self.checks.update(&name.id, |check| check.last_event_at = at)?;
        Ok(number)
    }

    /// Sets a check's definition without recording an event.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn set_words(
        &mut self,
        name: &CheckName,
        is_hidden: bool,
        at: Timestamp,
    ) -> Result<CheckNumber, Fault> {
        let CheckName { id, definition, is_provisional } = name;
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
                is_provisional: *is_provisional,
                is_hidden,
                totals: Totals::default(),
                durations: Durations::default(),
                trend: Trend::default(),
                last_failure_at: None,
            }
        });
        if has_other_words(&check.definition, definition) {
            check.version += 1;
        }
        check.definition = definition.clone();
        check.is_provisional &= is_provisional;
        let number = check.number;
        self.checks.put(id.clone(), check);
        self.ids.put(number, id.clone());
        let title = fold_title(&definition.title);
        if title_before.as_ref() != Some(&title) {
            self.retitle(id, number, title_before, title, at)?;
        }
        self.touch(Subject::Check(id.clone()));
        Ok(number)
    }

    /// Removes a check without open failures, with its definition, titles and totals.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn remove_check(&mut self, id: &CheckId) -> Result<(), Fault> {
        let Some(title) = self.check(id)?.map(|check| fold_title(&check.definition.title)) else {
            return Ok(());
        };
        if self.titles.is_loaded(&title) {
            let mut titled = self.titles.get(&title)?.cloned().unwrap_or_default();
            titled.current.remove(id);
            self.titles.put(title, titled);
        }
        self.checks.remove(id);
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }

    /// Hides a check, or shows it again; returns whether that changes anything.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn hide_check(&mut self, id: &CheckId, is_hidden: bool) -> Result<bool, Fault> {
        if self.check(id)?.is_none_or(|check| check.is_hidden == is_hidden) {
            return Ok(false);
        }
        self.change_check(id, |check| check.is_hidden = is_hidden)?;
        Ok(true)
    }

    /// Sets the number of failing people to the result of the query for the filter.
    ///
    /// # Errors
    /// When the query was not run.
    pub fn recount_people(&mut self) -> Result<(), Fault> {
        self.effects.counts.failing_people = *self.people_admitted.get()?;
        self.touch_everything();
        Ok(())
    }

    /// Updates the titles, so that later changes of the group find the check by its new title, and
    /// by its old one as a former title.
    fn retitle(
        &mut self,
        id: &CheckId,
        number: CheckNumber,
        before: Option<String>,
        folded: String,
        since: Timestamp,
    ) -> Result<(), Fault> {
        if let Some(before) = before.filter(|before| self.titles.is_loaded(before)) {
            let mut titled = self.titles.get(&before)?.cloned().unwrap_or_default();
            titled.current.remove(id);
            titled.former.insert(id.clone());
            self.titles.put(before, titled);
        }
        if self.titles.is_loaded(&folded) {
            let mut titled = self.titles.get(&folded)?.cloned().unwrap_or_default();
            titled.former.remove(id);
            titled.current.insert(id.clone());
            self.titles.put(folded.clone(), titled);
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

/// Whether description or advice differ. These are stored once per version, so a difference makes a
/// new version.
fn has_other_words(before: &CheckDefinition, now: &CheckDefinition) -> bool {
    before.description != now.description || before.recommended_actions != now.recommended_actions
}
