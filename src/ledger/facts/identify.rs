//! A check that was known by a text of answers alone gets its id.

use std::collections::BTreeSet;

use super::Facts;
use crate::{
    domain::failure::Change,
    domain::{CheckId, Login, Timestamp, fold_title},
    ledger::{Check, CheckNumber, Command, Failure, Fault, Keys, Subject},
};

impl Facts {
    /// Adds the rows that [`identify`](Self::identify) needs of a check and a title that were
    /// loaded. Usually there are none: a provisional check gets another id and keeps its number, by
    /// which failures refer to it. All users who fail it are needed when it is merged with a known
    /// check, or was hidden and increases the number of failing people.
    ///
    /// # Errors
    /// When a check cannot be decoded.
    pub fn keys_to_identify(
        &self,
        id: &CheckId,
        title: &str,
        keys: &mut Keys,
    ) -> Result<(), Fault> {
        let mut is_known = self.check(id)?.is_some();
        for former in self.provisional_checks(title)?.iter().filter(|former| *former != id) {
            let Some(former) = self.check(former)? else { continue };
            if is_known || former.is_hidden {
                keys.failures_at.insert(former.number);
            }
            // The first provisional check gets the id; every further one is merged with it.
            is_known = true;
        }
        Ok(())
    }

    /// Turns the provisional checks with this title into the check `id`. Open failures and totals
    /// move; no failure opens or ends. Returns the former ids.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded; also
    /// [`NeedsFailures`](Fault::NeedsFailures), when another change of the group made more rows
    /// necessary.
    pub fn identify(
        &mut self,
        id: &CheckId,
        title: &str,
        at: Timestamp,
    ) -> Result<Vec<CheckId>, Fault> {
        let mut former: Vec<_> = self.provisional_checks(title)?.into_iter().collect();
        former.retain(|former| former != id);
        for former in &former {
            self.take_over(former, id, at)?;
        }
        Ok(former)
    }

    /// The provisional checks that have this title, or were the only one to have it, or are known
    /// by its start because it is too long for an id.
    fn provisional_checks(&self, title: &str) -> Result<BTreeSet<CheckId>, Fault> {
        let titled = self.titles.get(&fold_title(title))?.cloned().unwrap_or_default();
        let mut found = titled.current;
        if titled.former.len() == 1 {
            found.extend(titled.former);
        }
        found.extend(CheckId::from_long_text(title));
        let mut provisional = BTreeSet::new();
        for id in found {
            if self.check(&id)?.is_some_and(|check| check.is_provisional) {
                provisional.insert(id);
            }
        }
        Ok(provisional)
    }

    fn take_over(&mut self, former: &CheckId, id: &CheckId, at: Timestamp) -> Result<(), Fault> {
        let Some(taken) = self.check(former)?.cloned() else { return Ok(()) };
        let known = self.check(id)?.cloned();
        // The number of failing people changes only where two checks become one, or a hidden one
        // becomes visible. Otherwise the users need not be loaded.
        let logins = if known.is_some() || taken.is_hidden {
            self.failing_logins(taken.number)?
        } else {
            Vec::new()
        };
        let mut failing_before = Vec::with_capacity(logins.len());
        for login in &logins {
            failing_before.push(self.is_failing(login)?);
        }
        match known {
            // The id is new: it gets the number, to which failures and titles refer. No row of them
            // changes.
            None => {
                let check = Check { is_provisional: false, is_hidden: false, ..taken.clone() };
                self.checks.put(id.clone(), check);
                self.ids.put(taken.number, id.clone());
            }
            Some(check) => self.merge(&taken, id, &check, &logins, at)?,
        }
        self.checks.remove(former);
        self.rename_in_titles(former, id)?;
        for (login, was_failing) in logins.iter().zip(failing_before) {
            let is_failing = self.is_failing(login)?;
            let people = &mut self.effects.counts.failing_people;
            *people = (*people + u64::from(is_failing)).saturating_sub(u64::from(was_failing));
        }
        for touched in [former, id] {
            self.touch(Subject::Check(touched.clone()));
        }
        self.touch_everything();
        Ok(())
    }

    /// Adds the open failures and totals of one check to another.
    fn merge(
        &mut self,
        taken: &Check,
        id: &CheckId,
        check: &Check,
        logins: &[Login],
        at: Timestamp,
    ) -> Result<(), Fault> {
        let mut merged = check.clone();
        merged.totals.failures += taken.totals.failures;
        merged.totals.resolutions += taken.totals.resolutions;
        merged.durations.add(&taken.durations);
        merged.trend.merge(&taken.trend);
        // The earlier moment counts: failures that were announced under the other id must not be
        // announced again.
        merged.last_failure_at = match (check.last_failure_at, taken.last_failure_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        merged.last_event_at = merged.last_event_at.max(taken.last_event_at);
        for login in logins {
            let Some(moved) = self.failure(login, taken.number)?.cloned() else { continue };
            let known = self.failure(login, check.number)?.cloned();
            merged.open += u64::from(known.is_none());
            self.failures.remove(&(login.clone(), taken.number));
            let both = known.map_or_else(|| moved.clone(), |known| unite(&known, &moved));
            self.failures.put((login.clone(), check.number), both);
        }
        merged.trend.record(at, Change::default(), merged.open);
        self.checks.put(id.clone(), merged);
        self.command(Command::MergeCheck { from: taken.number, into: check.number, at });
        Ok(())
    }

    /// Records that all users who fail a check were loaded, with all their failures.
    pub fn load_all_failing(&mut self, number: CheckNumber) {
        self.with_everybody.insert(number);
    }

    /// All users who fail a check. Rows of other checks that cannot be decoded do not matter here.
    fn failing_logins(&self, number: CheckNumber) -> Result<Vec<Login>, Fault> {
        if !self.with_everybody.contains(&number) {
            return Err(Fault::NeedsFailures { check: number });
        }
        let of_check =
            self.failures.presence().filter(|((_, check), _, is)| *is && *check == number);
        Ok(of_check.map(|((login, _), ..)| login.clone()).collect())
    }

    fn rename_in_titles(&mut self, former: &CheckId, id: &CheckId) -> Result<(), Fault> {
        let mut changed = Vec::new();
        for row in self.titles.range(..) {
            let (folded, titled) = row?;
            let mut titled = titled.clone();
            let was_current = titled.current.remove(former);
            let was_former = titled.former.remove(former);
            if was_current {
                titled.current.insert(id.clone());
            }
            if was_former {
                titled.former.insert(id.clone());
            }
            if was_current || was_former {
                changed.push((folded.clone(), titled));
            }
        }
        for (folded, titled) in changed {
            self.titles.put(folded, titled);
        }
        Ok(())
    }
}

/// Combines two failures that turned out to be the same.
fn unite(one: &Failure, other: &Failure) -> Failure {
    let first = if one.opened_at <= other.opened_at { one } else { other };
    Failure {
        opened_at: first.opened_at,
        is_dated: first.is_dated,
        reported_at: one.reported_at.max(other.reported_at),
        named_at: one.named_at.max(other.named_at),
        is_announced: one.is_announced || other.is_announced,
        by_title: one.by_title || other.by_title,
    }
}
