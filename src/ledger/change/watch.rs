//! The watch list.

use std::collections::BTreeSet;

use crate::{
    domain::{MAX_NOTE_BYTES, Timestamp, WatchSource, WatchStanding, WatchSubject, one_line},
    ledger::{Change, Facts, Fault, Keys, known_to_service_keys},
};

/// Replaces the entries that come from the configuration.
#[derive(Debug, Clone)]
pub struct ConfigureWatch {
    /// The subjects that the configuration names.
    pub configured: BTreeSet<WatchSubject>,
    /// When the configuration was applied.
    pub at: Timestamp,
}

/// The number of subjects that were added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOutcome {
    /// Subjects that were not listed before.
    pub added: usize,
    /// Subjects that are no longer listed.
    pub removed: usize,
}

/// Adds a subject to the watch list on request.
#[derive(Debug, Clone)]
pub struct AddWatch {
    /// The subject.
    pub subject: WatchSubject,
    /// Why it is watched. A note of white space counts as none, and a long note is cut. Without
    /// one, the stored note stays.
    pub note: Option<String>,
    /// When the entry expires. Without a moment, the stored one stays; an entry without a stored
    /// moment never expires.
    pub expires_at: Option<Timestamp>,
    /// The maximum number of listed subjects of its kind. Users who are only followed do not count.
    pub most: usize,
    /// When it was requested.
    pub at: Timestamp,
}

/// The result of a request to watch a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAdded {
    /// The subject was added.
    Added,
    /// The subject is listed already; a given note or expiry replaces the stored one.
    Known,
    /// The maximum number of subjects of its kind is listed.
    Full,
}

/// Removes a subject from the watch list, unless the configuration names it.
#[derive(Debug, Clone)]
pub struct RemoveWatch {
    /// The subject.
    pub subject: WatchSubject,
    /// When it was requested.
    pub at: Timestamp,
}

/// The result of a request to remove a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchRemoved {
    /// The subject was removed.
    Removed,
    /// The configuration names the subject: it stays.
    Configured,
    /// The subject is not on the watch list.
    Unknown,
}

/// Removes the entries whose expiry has passed.
#[derive(Debug, Clone, Copy)]
pub struct ExpireWatch {
    /// The moment that decides which entries expired.
    pub at: Timestamp,
}

impl Change for AddWatch {
    type Outcome = WatchAdded;

    fn keys(&self, keys: &mut Keys) {
        keys.watched.insert(self.subject.clone());
        spelling_keys(&self.subject, keys);
        // Loaded even when the login is spelled canonically: a change before this one in its group
        // can store another spelling.
        if let WatchSubject::User(login) = &self.subject {
            known_to_service_keys(login, keys);
        }
    }

    fn apply(&self, facts: &mut Facts) -> Result<WatchAdded, Fault> {
        let listed = match self.subject {
            WatchSubject::User(_) => facts.listed_users(),
            WatchSubject::Ip(_) => facts.watched_ips(),
        };
        let is_known = facts.standing(&self.subject)? == Some(WatchStanding::Listed);
        if !is_known && listed >= self.most {
            return Ok(WatchAdded::Full);
        }
        let source = WatchSource::Command;
        record_operator_spelling(&self.subject, facts)?;
        facts.add_reason(&self.subject, source, self.at)?;
        let before = facts.reasons(&self.subject)?.and_then(|reasons| reasons.get(&source));
        let (noted, expiring) =
            before.map_or((None, None), |before| (before.note.clone(), before.expires_at));
        let note = match self.note.as_deref() {
            Some(note) if note.trim().is_empty() => None,
            // Tables show a note in one line.
            Some(note) => Some(one_line(note, MAX_NOTE_BYTES)),
            None => noted,
        };
        // An entry that expired but is not yet removed must not end the one that is requested now.
        let expiring = expiring.filter(|expires_at| *expires_at > self.at);
        facts.update_reason(&self.subject, source, note, self.expires_at.or(expiring))?;
        Ok(if is_known { WatchAdded::Known } else { WatchAdded::Added })
    }
}

impl Change for RemoveWatch {
    type Outcome = WatchRemoved;

    fn keys(&self, keys: &mut Keys) {
        keys.watched.insert(self.subject.clone());
    }

    fn apply(&self, facts: &mut Facts) -> Result<WatchRemoved, Fault> {
        if facts.reasons(&self.subject)?.is_none() {
            return Ok(WatchRemoved::Unknown);
        }
        for source in [WatchSource::Command, WatchSource::Webhook] {
            facts.remove_reason(&self.subject, source, self.at)?;
        }
        let is_configured = facts.reasons(&self.subject)?.is_some();
        Ok(if is_configured { WatchRemoved::Configured } else { WatchRemoved::Removed })
    }
}

impl Change for ExpireWatch {
    /// How many entries were removed.
    type Outcome = usize;

    fn keys(&self, keys: &mut Keys) {
        keys.expired_at = Some(keys.expired_at.map_or(self.at, |at| at.max(self.at)));
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        keys.watched.extend(facts.matching.get()?.iter().cloned());
        Ok(())
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<usize, Fault> {
        let mut expired = Vec::new();
        for subject in facts.matching.get()? {
            let reasons = match facts.reasons(subject) {
                // One entry that cannot be understood keeps no other, nor what is too old.
                Err(Fault::Unreadable { .. }) => continue,
                reasons => reasons?,
            };
            for (source, reason) in reasons.into_iter().flatten() {
                if reason.expires_at.is_some_and(|expires_at| expires_at <= self.at) {
                    expired.push((subject.clone(), *source));
                }
            }
        }
        for (subject, source) in &expired {
            facts.remove_reason(subject, *source, self.at)?;
        }
        Ok(expired.len())
    }
}

impl Change for ConfigureWatch {
    type Outcome = WatchOutcome;

    fn keys(&self, keys: &mut Keys) {
        keys.watched_for.insert(WatchSource::Configuration);
        keys.watched.extend(self.configured.iter().cloned());
        for subject in &self.configured {
            spelling_keys(subject, keys);
        }
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        keys.watched.extend(facts.matching.get()?.iter().cloned());
        for subject in &self.configured {
            further_spelling_keys(subject, facts, keys)?;
        }
        Ok(())
    }

    fn work(&self) -> usize {
        1 + self.configured.len()
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<WatchOutcome, Fault> {
        let source = WatchSource::Configuration;
        let mut outcome = WatchOutcome { added: 0, removed: 0 };
        let known = facts.matching.get()?.clone();
        for subject in known.difference(&self.configured) {
            outcome.removed += usize::from(facts.remove_reason(subject, source, self.at)?);
        }
        for subject in &self.configured {
            record_operator_spelling(subject, facts)?;
            outcome.added += usize::from(facts.add_reason(subject, source, self.at)?);
        }
        Ok(outcome)
    }
}

fn spelling_keys(subject: &WatchSubject, keys: &mut Keys) {
    if let WatchSubject::User(login) = subject {
        keys.spellings.insert(login.clone());
    }
}

fn further_spelling_keys(
    subject: &WatchSubject,
    facts: &Facts,
    keys: &mut Keys,
) -> Result<(), Fault> {
    if let WatchSubject::User(login) = subject
        && facts.has_other_spelling(login)?
    {
        known_to_service_keys(login, keys);
    }
    Ok(())
}

/// Stores the operator's spelling of a login until the service sends its own.
fn record_operator_spelling(subject: &WatchSubject, facts: &mut Facts) -> Result<(), Fault> {
    if let WatchSubject::User(login) = subject
        && facts.has_other_spelling(login)?
        && !facts.is_known_to_service(login)?
    {
        facts.record_spelling(login)?;
    }
    Ok(())
}
