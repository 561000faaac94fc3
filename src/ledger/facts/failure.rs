//! Failures that are open, and how far the words about users have got.

use super::Facts;
use crate::{
    domain::{
        CheckId, Login, Timestamp,
        failure::{Change, NO_LONGER_FAILING},
        follow_deadline,
    },
    ledger::{CheckNumber, Closed, Ending, Failure, Fault, Subject},
};

/// What the service said of a failure that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// A delivery names the user.
    Named {
        /// When it was published.
        at: Timestamp,
    },
    /// An answer lists the check.
    Listed {
        /// When it had been asked for.
        at: Timestamp,
        /// Whether it has the check's title, and not its id.
        by_title: bool,
    },
}

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
        self.check_asked(login)?;
        let key = (login.clone(), check);
        // All of the user's are loaded: what is absent is not there.
        if self.failures.is_loaded(&key) { self.failures.get(&key) } else { Ok(None) }
    }

    /// All open failures of a user whose failures were asked for.
    ///
    /// # Errors
    /// When one cannot be understood, or the user was not asked for.
    pub fn failures_of(&self, login: &Login) -> Result<Vec<(CheckNumber, &Failure)>, Fault> {
        self.check_asked(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        self.failures
            .range(of_login)
            .map(|row| row.map(|((_, check), failure)| (*check, failure)))
            .collect()
    }

    /// The checks that a user fails, whose failures were asked for: those, too, of which
    /// nothing else can be understood.
    ///
    /// # Errors
    /// When the user was not asked for.
    pub fn failing_checks(&self, login: &Login) -> Result<Vec<CheckNumber>, Fault> {
        self.check_asked(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        Ok(self.failures.keys(of_login).map(|(_, check)| *check).collect())
    }

    /// Whether a user has an open failure of which nothing else can be understood.
    #[must_use]
    pub fn has_unreadable_failure(&self, login: &Login, check: CheckNumber) -> bool {
        self.failures.is_unreadable(&(login.clone(), check))
    }

    /// Says anew what is known of a failure that is open and cannot be understood.
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

    /// Notes that an open failure was told as new; `at` is when that is committed.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
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

    /// Notes that the service said once more that a failure is open.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
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
            // What nobody is shown is nobody's resolution.
            check.totals.resolutions += u64::from(!is_hidden);
            let change = Change { new: 0, resolved: u64::from(!is_hidden) };
            check.trend.record(ending.at, change, check.open);
            // One that was seen first may have begun at any time before.
            if ending.reason == NO_LONGER_FAILING && failure.is_dated && !is_hidden {
                check.durations.observe(ending.asked_at - failure.opened_at);
            }
        })?;
        let login = login.clone();
        let Ending { at: closed_at, reason, .. } = ending;
        self.effects.closed.push(Closed { check: number, login, failure, closed_at, reason });
        Ok(())
    }

    /// Removes a failure as if it had never been: nothing is resolved, nothing counted.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
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

    /// When the newest look at a user's failing checks was asked for: an answer about the
    /// user, or the last complete listing.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn last_answer_as_of(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let answered = self.answered.get(login)?.map(|answered| answered.as_of);
        Ok(answered.max(self.listing_asked_at(login)?))
    }

    /// Whether nobody looked at a user's failing checks yet.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn is_first_look(&self, login: &Login) -> Result<bool, Fault> {
        let was_listed =
            self.answered.get(login)?.is_some_and(|answered| answered.listed_at.is_some());
        Ok(!was_listed && self.listing_asked_at(login)?.is_none())
    }

    /// When the last complete listing asked for this user's failing checks; when it began,
    /// for somebody whom it does not have. Nothing where it could not have shown them: it
    /// did not tell, has rows that could not be read, or lacks too many.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn listing_asked_at(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let Some(done) = self.listing_done.get(&())?.filter(|done| done.is_verdict) else {
            return Ok(None);
        };
        Ok(match self.listed.get(login)? {
            // One that is older than the listing before it does not move back what is known.
            Some(member) => member.failing.is_some().then_some(member.asked_at.max(done.begun_at)),
            None => (done.skipped == 0 && !done.is_suspect).then_some(done.begun_at),
        })
    }
}
