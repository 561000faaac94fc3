//! The watch list.

use super::Facts;
use crate::{
    domain::{Event, Timestamp, WatchSource, WatchSubject},
    ledger::{Fault, Reason, Reasons, Subject},
};

impl Facts {
    /// Puts in what a store found for a subject.
    pub fn load_watched(&mut self, subject: WatchSubject, reasons: Option<Reasons>) {
        self.watched.load(subject, reasons);
    }

    /// Notes that why a subject is watched cannot be understood.
    pub fn load_unreadable_watched(&mut self, subject: WatchSubject, reason: &str) {
        self.watched.load_unreadable(subject, reason);
    }

    /// Why a subject is watched; nothing when it is not.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn reasons(&self, subject: &WatchSubject) -> Result<Option<&Reasons>, Fault> {
        self.watched.get(subject)
    }

    /// How many users are watched.
    #[must_use]
    pub fn watched_users(&self) -> usize {
        usize::try_from(self.effects.counts.users).unwrap_or(usize::MAX)
    }

    /// Adds a reason to watch, unless it is there; tells whether the subject was not
    /// watched before.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn add_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let mut reasons = self.watched.get(subject)?.cloned().unwrap_or_default();
        let is_new = reasons.is_empty();
        if reasons.contains_key(&source) {
            return Ok(false);
        }
        reasons.insert(source, Reason { added_at: at, expires_at: None, note: None });
        self.watched.put(subject.clone(), reasons);
        if is_new {
            self.count_watched(subject, 1);
            self.append(Event::watch_changed(subject, true, at));
        }
        Ok(is_new)
    }

    /// Says anew why and until when a command has a subject watched.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn note_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        note: Option<String>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let Some(mut reasons) = self.watched.get(subject)?.cloned() else { return Ok(()) };
        if let Some(reason) = reasons.get_mut(&source) {
            *reason = Reason { added_at: reason.added_at, expires_at, note };
            self.watched.put(subject.clone(), reasons);
        }
        Ok(())
    }

    /// Takes a reason away; tells whether it was there and none is left.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn remove_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let Some(mut reasons) = self.watched.get(subject)?.cloned() else { return Ok(false) };
        if reasons.remove(&source).is_none() {
            return Ok(false);
        }
        if !reasons.is_empty() {
            self.watched.put(subject.clone(), reasons);
            return Ok(false);
        }
        self.watched.remove(subject);
        self.count_watched(subject, -1);
        self.append(Event::watch_changed(subject, false, at));
        Ok(true)
    }

    fn count_watched(&mut self, subject: &WatchSubject, by: i64) {
        let counts = &mut self.effects.counts;
        let total = match subject {
            WatchSubject::User(_) => &mut counts.users,
            WatchSubject::Ip(_) => &mut counts.ips,
        };
        *total = total.saturating_add_signed(by);
        self.touch(Subject::Watched);
        self.touch(match subject {
            WatchSubject::User(login) => Subject::User(login.clone()),
            WatchSubject::Ip(ip) => Subject::Ip(*ip),
        });
    }
}
