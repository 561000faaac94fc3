//! Failures that are open, and how far the words about users have got.

use super::Facts;
use crate::{
    domain::{CheckId, Login, Timestamp, failure::NO_LONGER_FAILING, followed_until},
    ledger::{CheckNumber, Closed, Ending, Failure, Fault, PersonChange, Subject},
};

impl Facts {
    /// Puts in what a store found for a failure.
    pub fn load_failure(&mut self, login: Login, check: CheckNumber, failure: Option<Failure>) {
        self.failures.load((login, check), failure);
    }

    /// Notes that an open failure cannot be understood.
    pub fn load_unreadable_failure(&mut self, login: Login, check: CheckNumber, reason: &str) {
        self.failures.load_unreadable((login, check), reason);
    }

    /// Notes that all open failures of a user were loaded.
    pub fn load_complete(&mut self, login: Login) {
        self.complete.insert(login);
    }

    /// An open failure of a user whose failures were asked for.
    ///
    /// # Errors
    /// When it cannot be understood, or the user was not asked for.
    pub fn failure(&self, login: &Login, check: CheckNumber) -> Result<Option<&Failure>, Fault> {
        self.asked_for(login)?;
        let key = (login.clone(), check);
        // All of the user's are loaded: what is absent is not there.
        if self.failures.is_loaded(&key) { self.failures.get(&key) } else { Ok(None) }
    }

    /// All open failures of a user whose failures were asked for.
    ///
    /// # Errors
    /// When one cannot be understood, or the user was not asked for.
    pub fn failures_of(&self, login: &Login) -> Result<Vec<(CheckNumber, &Failure)>, Fault> {
        self.asked_for(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        self.failures
            .range(of_login)
            .map(|row| row.map(|((_, check), failure)| (*check, failure)))
            .collect()
    }

    fn asked_for(&self, login: &Login) -> Result<(), Fault> {
        if self.complete.contains(login) {
            return Ok(());
        }
        debug_assert!(false, "the failures of {login:?} were not asked for");
        Err(Fault::NotAsked { table: "failure" })
    }

    /// Opens a failure of a check that is defined; `at` is when it is committed.
    ///
    /// # Errors
    /// When the check's row cannot be understood, or was not asked for.
    pub fn open_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        failure: Failure,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let is_announced = failure.is_announced;
        let is_first = self.failures_of(login)?.is_empty();
        self.effects.counts.failing_people += u64::from(is_first);
        self.failures.put((login.clone(), number), failure);
        self.follow_until(login, None)?;
        self.change_check(id, |check| {
            check.open += 1;
            if is_announced {
                check.totals.failures += 1;
                check.last_failure_at = check.last_failure_at.max(Some(at));
            }
        })?;
        self.effects.people.push(PersonChange {
            login: login.clone(),
            check: id.clone(),
            is_open: true,
        });
        Ok(())
    }

    /// Notes that the service said once more that a failure is open.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn confirm_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(mut failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        failure.reported_at = failure.reported_at.max(at);
        failure.opened_at = failure.opened_at.min(at);
        self.failures.put((login.clone(), number), failure);
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }

    /// Notes that a delivery told at this moment of a failure that is known: it began then,
    /// unless it was seen before.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn date_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        if at <= failure.opened_at && !failure.is_dated {
            let dated = Failure { opened_at: at, is_dated: true, ..failure };
            self.failures.put((login.clone(), number), dated);
        }
        Ok(())
    }

    /// Ends a failure.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn close_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        ending: Ending,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        self.failures.remove(&(login.clone(), number));
        if self.failures_of(login)?.is_empty() {
            let people = &mut self.effects.counts.failing_people;
            *people = people.saturating_sub(1);
            self.follow_until(login, Some(followed_until(ending.at)))?;
        }
        self.change_check(id, |check| {
            check.open = check.open.saturating_sub(1);
            check.last_event_at = ending.at;
            check.totals.resolutions += 1;
            // One that was seen first may have begun at any time before.
            if ending.reason == NO_LONGER_FAILING && failure.is_dated {
                check.durations.observe(ending.asked_at - failure.opened_at);
            }
        })?;
        let login = login.clone();
        self.effects.people.push(PersonChange {
            login: login.clone(),
            check: id.clone(),
            is_open: false,
        });
        let Ending { at: closed_at, reason, .. } = ending;
        self.effects.closed.push(Closed { check: number, login, failure, closed_at, reason });
        Ok(())
    }

    /// Removes a failure as if it had never been: nothing is resolved, nothing counted.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn forget_failure(&mut self, id: &CheckId, login: &Login) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        if self.failure(login, number)?.is_none() {
            return Ok(());
        }
        self.failures.remove(&(login.clone(), number));
        if self.failures_of(login)?.is_empty() {
            let people = &mut self.effects.counts.failing_people;
            *people = people.saturating_sub(1);
        }
        self.change_check(id, |check| check.open = check.open.saturating_sub(1))?;
        self.effects.people.push(PersonChange {
            login: login.clone(),
            check: id.clone(),
            is_open: false,
        });
        self.touch(Subject::User(login.clone()));
        Ok(())
    }

    /// When the most recent observation of a user's failing checks was requested: an
    /// answer about the user, or the last complete listing.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn last_answer_as_of(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let answered = self.answered.get(login)?.map(|answered| answered.as_of);
        Ok(answered.max(self.listed_as_of(login)?))
    }

    /// When the last complete listing began, if it told of this user's failing
    /// checks: whoever it does not name failed none then, unless it has rows that
    /// could not be read.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn listed_as_of(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let Some(done) = self.listing_done.get(&())?.filter(|done| done.is_verdict) else {
            return Ok(None);
        };
        let is_told = self.told_members.get(login)?.copied().unwrap_or(done.skipped == 0);
        Ok(is_told.then_some(done.begun_at))
    }
}
