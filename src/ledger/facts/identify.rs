//! A check that was known by a text of answers alone becomes the one that it is.

use std::collections::BTreeSet;

use super::Facts;
use crate::{
    domain::failure::Change,
    domain::{CheckId, Login, Timestamp, fold_title},
    ledger::{Check, CheckNumber, Command, Failure, Fault, Keys, Subject},
};

impl Facts {
    /// Names the rows that [`identify`](Self::identify) needs of a check and a title that were
    /// asked for. Mostly that is nothing more: a provisional check gets another id, and keeps its
    /// number, by which failures refer to it. Everybody who fails it is needed where it is merged
    /// with a check that is known, or was hidden, so that there are more people who fail something.
    ///
    /// # Errors
    /// When a check cannot be understood.
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
            // It is, once the first one has its id.
            is_known = true;
        }
        Ok(())
    }

    /// Makes provisional checks that go by this title the check `id`: what is open and
    /// what was counted moves, and nothing fails or ends. Returns their ids.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for; also
    /// [`NeedsFailures`](Fault::NeedsFailures), where a change of the same group made it so that
    /// more rows are needed.
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

    /// The provisional checks that have this title, or were the only one to have it, or are
    /// known by its beginning because it is too long for an id.
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
            // A check that is new takes the number over, and with it all that refers to it.
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

    /// Adds what is open and counted of one check to another.
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
        // What was told under the other name is not told again as new.
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

    /// Notes that everybody who fails a check was loaded, with all their failures.
    pub fn load_all_failing(&mut self, number: CheckNumber) {
        self.with_everybody.insert(number);
    }

    /// Everybody who fails a check. A row of another check that cannot be understood is nobody's
    /// concern here.
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

/// One failure out of two that turned out to be the same.
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
