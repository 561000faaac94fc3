//! The watch list.

use std::collections::BTreeSet;

use rusqlite::{Savepoint, params};

use super::{Reply, Transact, Write, event};
use crate::{
    domain::{Event, IpAddress, Login, Timestamp, WatchPolicy, WatchSource, WatchSubject},
    store::{Store, StoreError, moment::to_micros},
};

/// Makes the entries that come from the configuration these, and no others.
#[derive(Debug)]
pub(in crate::store) struct ConfigureWatch {
    configured: BTreeSet<WatchSubject>,
    at: Timestamp,
}

/// How the watch list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOutcome {
    /// Subjects watched from now on.
    pub added: usize,
    /// Subjects watched no longer.
    pub removed: usize,
}

impl Store {
    /// Makes the entries that come from the configuration these, and no others.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn configure_watch(
        &self,
        users: impl IntoIterator<Item = Login>,
        ips: impl IntoIterator<Item = IpAddress>,
        at: Timestamp,
    ) -> Result<WatchOutcome, StoreError> {
        let users = users.into_iter().map(WatchSubject::User);
        let configured = users.chain(ips.into_iter().map(WatchSubject::Ip)).collect();
        self.write(ConfigureWatch { configured, at }).await
    }
}

impl Transact for ConfigureWatch {
    type Outcome = WatchOutcome;

    fn with(self, reply: Reply<WatchOutcome>) -> Write {
        Write::Watch(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<WatchOutcome, StoreError> {
        let mut outcome = WatchOutcome { added: 0, removed: 0 };
        for subject in configured_before(tx)?.difference(&self.configured) {
            outcome.removed += usize::from(remove(tx, subject, self.at)?);
        }
        for subject in &self.configured {
            let added = add(tx, subject, WatchSource::Configuration, self.at)?;
            outcome.added += usize::from(added);
        }
        Ok(outcome)
    }
}

/// Watches the users that a webhook named, as far as there is room; returns how
/// many are not watched for want of it.
pub(super) fn admit_failing<'a>(
    tx: &Savepoint<'_>,
    named: impl Iterator<Item = &'a Login>,
    policy: WatchPolicy,
    at: Timestamp,
) -> Result<usize, StoreError> {
    if !policy.failing_users {
        return Ok(0);
    }
    let mut strangers = Vec::new();
    for login in named {
        let subject = WatchSubject::User(login.clone());
        if is_watched(tx, &subject)? {
            add(tx, &subject, WatchSource::Webhook, at)?;
        } else {
            strangers.push(subject);
        }
    }
    if strangers.is_empty() {
        return Ok(0);
    }
    let watched: usize = tx
        .prepare_cached("SELECT subjects FROM watch_total WHERE kind = 'user'")?
        .query_row([], |row| row.get(0))?;
    let room = policy.room(watched);
    for subject in strangers.iter().take(room) {
        add(tx, subject, WatchSource::Webhook, at)?;
    }
    Ok(strangers.len().saturating_sub(room))
}

fn configured_before(tx: &Savepoint<'_>) -> Result<BTreeSet<WatchSubject>, StoreError> {
    let mut select = tx.prepare_cached("SELECT kind, subject FROM watch WHERE source = ?1")?;
    let mut rows = select.query([WatchSource::Configuration.as_str()])?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (kind, subject): (String, String) = (row.get(0)?, row.get(1)?);
        let subject = match kind.as_str() {
            "user" => Login::new(&subject).ok().map(WatchSubject::User),
            _ => subject.parse().ok().map(WatchSubject::Ip),
        };
        found.insert(subject.ok_or(StoreError::Corrupt("watch list entry"))?);
    }
    Ok(found)
}

fn is_watched(tx: &Savepoint<'_>, subject: &WatchSubject) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM watch WHERE kind = ?1 AND subject = ?2")?
        .exists(params![subject.kind(), subject.text()])?)
}

/// Adds a reason to watch; tells whether the subject was not watched before.
fn add(
    tx: &Savepoint<'_>,
    subject: &WatchSubject,
    source: WatchSource,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let is_new = !is_watched(tx, subject)?;
    tx.prepare_cached(
        "INSERT OR IGNORE INTO watch (kind, subject, source, added_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![subject.kind(), subject.text(), source.as_str(), to_micros(at)])?;
    if is_new {
        count(tx, subject, 1)?;
        event::append(tx, &Event::watch_changed(subject, true, at))?;
    }
    Ok(is_new)
}

/// Takes the configuration's reason away; tells whether none is left.
fn remove(tx: &Savepoint<'_>, subject: &WatchSubject, at: Timestamp) -> Result<bool, StoreError> {
    tx.prepare_cached("DELETE FROM watch WHERE kind = ?1 AND subject = ?2 AND source = ?3")?
        .execute(params![subject.kind(), subject.text(), WatchSource::Configuration.as_str()])?;
    let is_last = !is_watched(tx, subject)?;
    if is_last {
        count(tx, subject, -1)?;
        event::append(tx, &Event::watch_changed(subject, false, at))?;
    }
    Ok(is_last)
}

fn count(tx: &Savepoint<'_>, subject: &WatchSubject, change: i64) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE watch_total SET subjects = subjects + ?2 WHERE kind = ?1")?
        .execute(params![subject.kind(), change])?;
    Ok(())
}
