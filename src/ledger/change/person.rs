//! A person who is to be forgotten.

use crate::{
    domain::{Event, Login, Timestamp, WatchSource, WatchSubject},
    ledger::{Change, Facts, Fault, Keys, Reasons, Subject, WholeTable},
};

/// Forgets of a user what is counted elsewhere, too: open failures, reasons to watch, and
/// the rights of an administrator. Nothing is resolved thereby. What only stands in rows is
/// for the store to erase.
#[derive(Debug, Clone)]
pub struct ForgetUser {
    /// Who.
    pub login: Login,
    /// When it was said.
    pub at: Timestamp,
}

/// Rows that went with a user.
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
        // Also what cannot be understood goes.
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
        // What is shown of others can name the user.
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
