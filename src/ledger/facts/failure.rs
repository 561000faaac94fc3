//! Open failures, and the newest answers about users.

use super::Facts;
use crate::{
    domain::{
        CheckId, Login, Timestamp,
        failure::{Change, NO_LONGER_FAILING},
        follow_deadline,
    },
    ledger::{CheckNumber, Closed, Ending, Failure, Fault, Subject},
};

/// The service's report that a failure is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// A delivery names the user.
    Named {
        /// When the delivery was published.
        at: Timestamp,
    },
    /// An answer lists the check.
    Listed {
        /// When the answer was requested.
        at: Timestamp,
        /// Whether the answer has the check's title instead of its id.
        by_title: bool,
    },
}

impl Facts {
    /// Records what the store loaded for a failure.
    pub fn load_failure(&mut self, login: Login, check: CheckNumber, failure: Option<Failure>) {
        self.failures.load((login, check), failure);
    }

    /// Records that an open failure's row cannot be decoded.
    pub fn load_unreadable_failure(&mut self, login: Login, check: CheckNumber, reason: &str) {
        self.failures.load_unreadable((login, check), reason);
    }

    /// Records that all open failures of a user were loaded.
    pub fn load_complete(&mut self, login: Login) {
        self.complete.insert(login);
    }

    /// An open failure of a user whose failures were loaded.
    ///
    /// # Errors
    /// When it cannot be decoded, or the user's failures were not loaded.
    pub fn failure(&self, login: &Login, check: CheckNumber) -> Result<Option<&Failure>, Fault> {
        self.check_asked(login)?;
        let key = (login.clone(), check);
        // All of the user's failures are loaded, so a key without a row has none.
        if self.failures.is_loaded(&key) { self.failures.get(&key) } else { Ok(None) }
    }

    /// All open failures of a user whose failures were loaded.
    ///
    /// # Errors
    /// When one cannot be decoded, or they were not loaded.
    pub fn failures_of(&self, login: &Login) -> Result<Vec<(CheckNumber, &Failure)>, Fault> {
        self.check_asked(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        self.failures
            .range(of_login)
            .map(|row| row.map(|((_, check), failure)| (*check, failure)))
            .collect()
    }

    /// The checks of all open failures of a user whose failures were loaded, including failures
    /// whose rows cannot be decoded.
    ///
    /// # Errors
    /// When the user's failures were not loaded.
    pub fn failing_checks(&self, login: &Login) -> Result<Vec<CheckNumber>, Fault> {
        self.check_asked(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        Ok(self.failures.keys(of_login).map(|(_, check)| *check).collect())
    }

    /// Whether a user has an open failure whose row cannot be decoded.
    #[must_use]
    pub fn has_unreadable_failure(&self, login: &Login, check: CheckNumber) -> bool {
        self.failures.is_unreadable(&(login.clone(), check))
    }

    /// Replaces the row of an open failure that cannot be decoded.
    pub fn restore_failure(&mut self, login: &Login, check: CheckNumber, failure: Failure) {
        self.failures.put((login.clone(), check), failure);
    }

    fn check_asked(&self, login: &Login) -> Result<(), Fault> {
        if self.complete.contains(login) {
            return Ok(());
        }
        debug_assert!(false, "the failures of {login:?} were not asked for");
        Err(Fault::NotAsked { table: "failure" })
    }

    /// Whether a user has an open failure of a check that is not hidden.
    pub(super) fn is_failing(&self, login: &Login) -> Result<bool, Fault> {
        for number in self.failing_checks(login)? {
            if !self.is_hidden(number)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens a failure of a defined check; `at` is the moment of the commit.
    ///
    /// # Errors
    /// When the check's row cannot be decoded, or was not loaded.
    pub fn open_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        failure: Failure,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(check) = self.check(id)? else { return Ok(()) };
        let (number, is_hidden) = (check.number, check.is_hidden);
        let is_announced = failure.is_announced;
        let is_first = !is_hidden && !self.is_failing(login)?;
        self.effects.counts.failing_people += u64::from(is_first);
        self.failures.put((login.clone(), number), failure);
        self.follow_until(login, None)?;
        self.change_check(id, |check| {
            check.open += 1;
            let change = Change { new: u64::from(is_announced && !is_hidden), resolved: 0 };
            check.trend.record(at, change, check.open);
            if is_announced {
                check.totals.failures += 1;
                check.last_failure_at = check.last_failure_at.max(Some(at));
            }
        })?;
        Ok(())
    }

    /// Records that an open failure was announced as new; `at` is the moment of the commit.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn announce_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(mut failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        if failure.is_announced {
            return Ok(());
        }
        failure.is_announced = true;
        self.failures.put((login.clone(), number), failure);
        self.change_check(id, |check| {
            check.trend.record(at, Change { new: 1, resolved: 0 }, check.open);
            check.totals.failures += 1;
            check.last_failure_at = check.last_failure_at.max(Some(at));
        })
    }

    /// Records another report of an open failure.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn confirm_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        report: Report,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(mut failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        let at = match report {
            Report::Named { at } => {
                failure.named_at = failure.named_at.max(Some(at));
                at
            }
            Report::Listed { at, by_title } => {
                failure.by_title = by_title;
                at
            }
        };
        failure.reported_at = failure.reported_at.max(at);
        failure.opened_at = failure.opened_at.min(at);
        self.failures.put((login.clone(), number), failure);
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }

    /// Sets the beginning of a failure to the moment of a delivery, unless the failure was seen
    /// before that.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
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
    /// When it cannot be decoded or was not loaded.
    pub fn close_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        ending: Ending,
    ) -> Result<(), Fault> {
        let Some(check) = self.check(id)? else { return Ok(()) };
        let (number, is_hidden) = (check.number, check.is_hidden);
        let Some(failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        self.failures.remove(&(login.clone(), number));
        if !is_hidden && !self.is_failing(login)? {
            let people = &mut self.effects.counts.failing_people;
            *people = people.saturating_sub(1);
        }
        if self.failing_checks(login)?.is_empty() {
            self.follow_until(login, Some(follow_deadline(ending.at)))?;
        }
        self.change_check(id, |check| {
            check.open = check.open.saturating_sub(1);
            check.last_event_at = ending.at;
            // A hidden failure was never shown, so its end is no resolution.
            check.totals.resolutions += u64::from(!is_hidden);
            let change = Change { new: 0, resolved: u64::from(!is_hidden) };
            check.trend.record(ending.at, change, check.open);
            // Only a delivery dates the beginning. A failure that an answer found may be much
            // older, so its duration is unknown.
            if ending.reason == NO_LONGER_FAILING && failure.is_dated && !is_hidden {
                check.durations.observe(ending.asked_at - failure.opened_at);
            }
        })?;
        let login = login.clone();
        let Ending { at: closed_at, reason, .. } = ending;
        self.effects.closed.push(Closed { check: number, login, failure, closed_at, reason });
        Ok(())
    }

    /// Removes a failure without counting a resolution or an end.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn forget_failure(&mut self, id: &CheckId, login: &Login) -> Result<(), Fault> {
        let Some(check) = self.check(id)? else { return Ok(()) };
        let (number, is_hidden) = (check.number, check.is_hidden);
        if !self.failing_checks(login)?.contains(&number) {
            return Ok(());
        }
        self.failures.remove(&(login.clone(), number));
        if !is_hidden && !self.is_failing(login)? {
            let people = &mut self.effects.counts.failing_people;
            *people = people.saturating_sub(1);
        }
        self.change_check(id, |check| check.open = check.open.saturating_sub(1))?;
        self.touch(Subject::User(login.clone()));
        Ok(())
    }

    /// When the newest look at a user's failing checks was requested: a poll of the user, or the
    /// last complete listing.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded.
    pub fn last_answer_as_of(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let answered = self.answered.get(login)?.map(|answered| answered.as_of);
        Ok(answered.max(self.listing_asked_at(login)?))
    }

    /// Whether the user's failing checks were never looked at.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded.
    pub fn is_first_look(&self, login: &Login) -> Result<bool, Fault> {
        let was_listed =
            self.answered.get(login)?.is_some_and(|answered| answered.listed_at.is_some());
        Ok(!was_listed && self.listing_asked_at(login)?.is_none())
    }

    /// When the last complete listing requested this user's failing checks; for a user who is
    /// absent, when the listing began. None where the listing proves nothing: it has no failing
    /// checks, has rows that could not be read, or lacks too many users.
    ///
    /// # Errors
    /// When a row cannot be decoded, or was not loaded.
    pub fn listing_asked_at(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let Some(done) = self.listing_done.get(&())?.filter(|done| done.is_verdict) else {
            return Ok(None);
        };
        Ok(match self.listed.get(login)? {
            // `begun_at` is never before that of the previous listing. A row that is, because a
            // clock was set back, must not move the moment back.
            Some(member) => member.failing.is_some().then_some(member.asked_at.max(done.begun_at)),
            None => (done.skipped == 0 && !done.is_suspect).then_some(done.begun_at),
        })
    }
}
