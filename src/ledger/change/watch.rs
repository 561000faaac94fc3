//! The watch list.

use std::collections::BTreeSet;

use crate::{
    domain::{MAX_NOTE_BYTES, Timestamp, WatchSource, WatchStanding, WatchSubject, one_line},
    ledger::{Change, Facts, Fault, Keys, known_to_service_keys},
};

/// Makes the entries that come from the configuration these, and no others.
#[derive(Debug, Clone)]
pub struct ConfigureWatch {
    /// What the configuration names.
    pub configured: BTreeSet<WatchSubject>,
    /// Now.
    pub at: Timestamp,
}

/// How the watch list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOutcome {
    /// Subjects listed from now on.
    pub added: usize,
    /// Subjects listed no longer.
    pub removed: usize,
}

/// Watches a subject because somebody says so.
#[derive(Debug, Clone)]
pub struct AddWatch {
    /// What.
    pub subject: WatchSubject,
    /// Why; a note of white space is none, and a long one is cut. Without one, that of before
    /// stays.
    pub note: Option<String>,
    /// Until when. Without a moment, that of before stays; where there was none, for ever.
    pub expires_at: Option<Timestamp>,
    /// List no more of its kind than this. Followed users use up no place.
    pub most: usize,
    /// When it was said.
    pub at: Timestamp,
}

/// What became of a request to watch something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAdded {
    /// It is watched from now on.
    Added,
    /// It was watched already; note and expiry are the new ones, as far as they were given.
    Known,
    /// As many of its kind are listed as may be.
    Full,
}

/// Watches a subject no longer, unless the configuration says so.
#[derive(Debug, Clone)]
pub struct RemoveWatch {
    /// What.
    pub subject: WatchSubject,
    /// When it was said.
    pub at: Timestamp,
}

/// What became of a request to watch something no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchRemoved {
    /// It is watched no longer.
    Removed,
    /// The configuration names it, so it is watched on.
    Configured,
    /// It was not watched.
    Unknown,
}

/// Ends what was to be watched up to a moment that has passed.
#[derive(Debug, Clone, Copy)]
pub struct ExpireWatch {
    /// Now.
    pub at: Timestamp,
}

impl Change for AddWatch {
    type Outcome = WatchAdded;

    fn keys(&self, keys: &mut Keys) {
        keys.watched.insert(self.subject.clone());
        spelling_keys(&self.subject, keys);
        // Asked for in any case: a change before it in its group can bring another spelling.
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
            // A note is a cell of a table: on one line.
            Some(note) => Some(one_line(note, MAX_NOTE_BYTES)),
            None => noted,
        };
        // What has passed and is still listed would end what is asked for now.
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
    /// How many reasons that were.
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
            for (source, reason) in facts.reasons(subject)?.into_iter().flatten() {
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

/// Takes an operator's spelling until the service has one of its own.
fn record_operator_spelling(subject: &WatchSubject, facts: &mut Facts) -> Result<(), Fault> {
    if let WatchSubject::User(login) = subject
        && facts.has_other_spelling(login)?
        && !facts.is_known_to_service(login)?
    {
        facts.record_spelling(login)?;
    }
    Ok(())
}
