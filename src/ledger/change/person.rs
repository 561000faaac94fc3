//! The removal of a person.

use crate::{
    domain::{Event, Login, Timestamp, WatchSource, WatchSubject},
    ledger::{Change, Facts, Fault, Keys, Reasons, Subject, WholeTable},
};

/// Removes a user's rows that are also counted elsewhere: open failures, reasons to watch, and
/// rights of an administrator. No failure counts as resolved. The store erases all other rows.
#[derive(Debug, Clone)]
pub struct ForgetUser {
    /// The user's login.
    pub login: Login,
    /// When the removal was requested.
    pub at: Timestamp,
}

/// The number of rows removed with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserForgotten {
    /// Open failures.
    pub failures: usize,
    /// Reasons to watch.
    pub reasons: usize,
    /// Administrators.
    pub admins: usize,
}

impl ForgetUser {
    fn subject(&self) -> WatchSubject {
        WatchSubject::User(self.login.clone())
    }
}

impl Change for ForgetUser {
    type Outcome = UserForgotten;

    fn keys(&self, keys: &mut Keys) {
        keys.failures_of.insert(self.login.clone());
        keys.watched.insert(self.subject());
        keys.whole.insert(WholeTable::Service);
    }

    fn apply(&self, facts: &mut Facts) -> Result<UserForgotten, Fault> {
        // Rows that cannot be decoded are removed, too.
        let failures = facts.failing_checks(&self.login)?;
        for check in &failures {
            if let Some(id) = facts.check_id(*check)? {
                facts.forget_failure(&id, &self.login)?;
            }
        }
        let subject = self.subject();
        let reasons = facts.reasons(&subject)?.map_or(0, Reasons::len);
        for source in [WatchSource::Configuration, WatchSource::Command, WatchSource::Webhook] {
            facts.remove_reason(&subject, source, self.at)?;
        }
        let admins = forget_admin(&self.login, facts)?;
        facts.append(Event::user_forgotten(self.at));
        // The rendered pages of other subjects can name the user.
        facts.touch_everything();
        Ok(UserForgotten { failures: failures.len(), reasons, admins })
    }
}

fn forget_admin(login: &Login, facts: &mut Facts) -> Result<usize, Fault> {
    let Some(mut state) = facts.service.get(&())?.cloned() else { return Ok(0) };
    let Some(admins) = &mut state.admins else { return Ok(0) };
    let known = admins.len();
    admins.retain(|admin| admin.login != *login);
    let gone = known - admins.len();
    if gone > 0 {
        facts.service.put((), state);
        facts.touch(Subject::Service);
    }
    Ok(gone)
}
