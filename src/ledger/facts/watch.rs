//! The watch list.

use super::Facts;
use crate::{
    domain::{Event, Login, Timestamp, WatchSource, WatchStanding, WatchSubject},
    ledger::{Fault, Reason, Reasons, Subject},
};

impl Facts {
    /// Records what the store loaded for a subject.
    pub fn load_watched(&mut self, subject: WatchSubject, reasons: Option<Reasons>) {
        self.watched.load(subject, reasons);
    }

    /// Records that the reasons to watch a subject cannot be decoded.
    pub fn load_unreadable_watched(&mut self, subject: WatchSubject, reason: &str) {
        self.watched.load_unreadable(subject, reason);
    }

    /// The reasons to watch a subject; none when it is not watched.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn reasons(&self, subject: &WatchSubject) -> Result<Option<&Reasons>, Fault> {
        self.watched.get(subject)
    }

    /// How many users are listed.
    #[must_use]
    pub fn listed_users(&self) -> usize {
        usize::try_from(self.effects.counts.users).unwrap_or(usize::MAX)
    }

    /// How many addresses are watched.
    #[must_use]
    pub fn watched_ips(&self) -> usize {
        usize::try_from(self.effects.counts.ips).unwrap_or(usize::MAX)
    }

    /// How many users are listed or followed.
    #[must_use]
    pub fn watched_users(&self) -> usize {
        usize::try_from(self.effects.counts.watched_users()).unwrap_or(usize::MAX)
    }

    /// How a subject is watched; none when it is not.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn standing(&self, subject: &WatchSubject) -> Result<Option<WatchStanding>, Fault> {
        Ok(self.watched.get(subject)?.and_then(standing))
    }

    /// Adds a reason to watch, unless it is there. Returns whether the subject becomes listed, or
    /// followed for the reason of a delivery.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn add_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let mut reasons = self.watched.get(subject)?.cloned().unwrap_or_default();
        if reasons.contains_key(&source) {
            return Ok(false);
        }
        let before = standing(&reasons);
        reasons.insert(source, Reason { added_at: at, expires_at: None, note: None });
        Ok(self.set_reasons(subject, before, reasons, at))
    }

    /// Replaces the note and the expiry of the reason that a command added.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn update_reason(
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

    /// Sets until when a user is followed; without a moment, as long as the user fails a check. A
    /// user who is not followed is left unchanged.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn follow_until(
        &mut self,
        login: &Login,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let subject = WatchSubject::User(login.clone());
        let reason = self.watched.get(&subject)?.and_then(|all| all.get(&WatchSource::Webhook));
        if reason.is_none_or(|reason| reason.expires_at == expires_at) {
            return Ok(());
        }
        self.update_reason(&subject, WatchSource::Webhook, None, expires_at)
    }

    /// Removes a reason. Returns whether it was there and the subject is no longer listed, or
    /// followed.
    ///
    /// # Errors
    /// When it cannot be decoded or was not loaded.
    pub fn remove_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let Some(mut reasons) = self.watched.get(subject)?.cloned() else { return Ok(false) };
        let before = standing(&reasons);
        if reasons.remove(&source).is_none() {
            return Ok(false);
        }
        Ok(self.set_reasons(subject, before, reasons, at))
    }

    /// Stores the reasons of a subject and updates the counts; returns whether its standing
    /// changed.
    fn set_reasons(
        &mut self,
        subject: &WatchSubject,
        before: Option<WatchStanding>,
        reasons: Reasons,
        at: Timestamp,
    ) -> bool {
        let now = standing(&reasons);
        if reasons.is_empty() {
            self.watched.remove(subject);
        } else {
            self.watched.put(subject.clone(), reasons);
        }
        if before == now {
            return false;
        }
        self.count_watched(subject, before, -1);
        self.count_watched(subject, now, 1);
        // Deliveries name many users, so following one appends no event; only a listed subject
        // does.
        let is_listed = |standing| standing == Some(WatchStanding::Listed);
        if is_listed(before) != is_listed(now) {
            self.append(Event::watch_changed(subject, is_listed(now), at));
        }
        self.touch(Subject::Watched);
        self.touch(match subject {
            WatchSubject::User(login) => Subject::User(login.clone()),
            WatchSubject::Ip(ip) => Subject::Ip(*ip),
        });
        true
    }

    /// Counts new addresses and countries of a user in the totals, which have no label that names
    /// people.
    pub fn count_new_places(&mut self, ips: u64, countries: u64) {
        if ips + countries > 0 {
            self.effects.counts.new_ips += ips;
            self.effects.counts.new_countries += countries;
            self.touch(Subject::Watched);
        }
    }

    fn count_watched(&mut self, subject: &WatchSubject, standing: Option<WatchStanding>, by: i64) {
        let counts = &mut self.effects.counts;
        let total = match (subject, standing) {
            (_, None) => return,
            (WatchSubject::User(_), Some(WatchStanding::Listed)) => &mut counts.users,
            (WatchSubject::User(_), Some(WatchStanding::Followed)) => &mut counts.followed,
            (WatchSubject::Ip(_), Some(_)) => &mut counts.ips,
        };
        *total = total.saturating_add_signed(by);
    }
}

fn standing(reasons: &Reasons) -> Option<WatchStanding> {
    WatchStanding::of(reasons.keys().copied())
}
