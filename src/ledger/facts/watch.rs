//! The watch list.

use super::Facts;
use crate::{
    domain::{Event, Login, Timestamp, WatchSource, WatchStanding, WatchSubject},
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

    /// How a subject is watched; nothing when it is not.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn standing(&self, subject: &WatchSubject) -> Result<Option<WatchStanding>, Fault> {
        Ok(self.watched.get(subject)?.and_then(standing))
    }

    /// Adds a reason to watch, unless it is there; tells whether the subject is listed
    /// from now on, or, for the reason of a delivery, followed.
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
        if reasons.contains_key(&source) {
            return Ok(false);
        }
        let before = standing(&reasons);
        reasons.insert(source, Reason { added_at: at, expires_at: None, note: None });
        Ok(self.set_reasons(subject, before, reasons, at))
    }

    /// Says anew why and until when a command has a subject watched.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
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

    /// Notes until when a user is followed: for ever, while the user fails anything.
    /// Who is not followed stays so.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
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

    /// Takes a reason away; tells whether it was there and the subject is listed, or
    /// followed, no longer.
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
        let before = standing(&reasons);
        if reasons.remove(&source).is_none() {
            return Ok(false);
        }
        Ok(self.set_reasons(subject, before, reasons, at))
    }

    /// Keeps the reasons of a subject and counts it anew; tells whether its standing is
    /// another one.
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
        // Whom deliveries name is many: only what somebody asked for is told.
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

    /// Counts new addresses and countries of a user, for the sums that name nobody.
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
