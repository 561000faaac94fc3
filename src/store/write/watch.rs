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

/// Watches a subject because somebody says so.
#[derive(Debug)]
pub struct AddWatch {
    /// What.
    pub subject: WatchSubject,
    /// Why.
    pub note: Option<String>,
    /// Until when; for ever when there is none.
    pub expires_at: Option<Timestamp>,
    /// Watch no more users than this.
    pub max_users: usize,
    /// When it was said.
    pub at: Timestamp,
}

/// What became of a wish to watch something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAdded {
    /// It is watched from now on.
    Added,
    /// It was watched already; note and expiry are the new ones.
    Known,
    /// As many users are watched as may be.
    Full,
}

/// Watches a subject no longer, unless the configuration says so.
#[derive(Debug)]
pub(in crate::store) struct RemoveWatch {
    subject: WatchSubject,
    at: Timestamp,
}

/// What became of a wish to watch something no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchRemoved {
    /// It is watched no longer.
    Removed,
    /// The configuration names it, so it is watched on.
    Configured,
    /// It was not watched.
    Unknown,
}

/// Ends what was to be watched up to a moment.
#[derive(Debug)]
pub(in crate::store) struct ExpireWatch {
    at: Timestamp,
}

impl Store {
    /// Watches a subject because somebody says so.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn add_watch(&self, add: AddWatch) -> Result<WatchAdded, StoreError> {
        self.write(add).await
    }

    /// Watches a subject no longer, whether a command or a webhook was the reason.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn remove_watch(
        &self,
        subject: WatchSubject,
        at: Timestamp,
    ) -> Result<WatchRemoved, StoreError> {
        self.write(RemoveWatch { subject, at }).await
    }

    /// Ends what was to be watched up to a moment that has passed; returns how
    /// many entries that were.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn expire_watch(&self, at: Timestamp) -> Result<usize, StoreError> {
        self.write(ExpireWatch { at }).await
    }
}

impl Transact for AddWatch {
    type Outcome = WatchAdded;

    fn with(self, reply: Reply<WatchAdded>) -> Write {
        Write::AddWatch(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<WatchAdded, StoreError> {
        let is_user = matches!(self.subject, WatchSubject::User(_));
        let is_known = is_watched(tx, &self.subject)?;
        if is_user && !is_known && watched_users(tx)? >= self.max_users {
            return Ok(WatchAdded::Full);
        }
        add(tx, &self.subject, WatchSource::Command, self.at)?;
        tx.prepare_cached(
            "UPDATE watch SET note = ?4, expires_at = ?5
             WHERE kind = ?1 AND subject = ?2 AND source = ?3",
        )?
        .execute(params![
            self.subject.kind(),
            self.subject.text(),
            WatchSource::Command.as_str(),
            self.note,
            self.expires_at.map(to_micros),
        ])?;
        Ok(if is_known { WatchAdded::Known } else { WatchAdded::Added })
    }
}

impl Transact for RemoveWatch {
    type Outcome = WatchRemoved;

    fn with(self, reply: Reply<WatchRemoved>) -> Write {
        Write::RemoveWatch(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<WatchRemoved, StoreError> {
        if !is_watched(tx, &self.subject)? {
            return Ok(WatchRemoved::Unknown);
        }
        for source in [WatchSource::Command, WatchSource::Webhook] {
            remove(tx, &self.subject, source, self.at)?;
        }
        let is_configured = is_watched(tx, &self.subject)?;
        Ok(if is_configured { WatchRemoved::Configured } else { WatchRemoved::Removed })
    }
}

impl Transact for ExpireWatch {
    type Outcome = usize;

    fn with(self, reply: Reply<usize>) -> Write {
        Write::ExpireWatch(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<usize, StoreError> {
        let mut select =
            tx.prepare_cached("SELECT kind, subject, source FROM watch WHERE expires_at <= ?1")?;
        let rows = select.query_map([to_micros(self.at)], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        let expired: Vec<_> = rows.collect::<Result<_, _>>()?;
        let corrupt = || StoreError::Corrupt("watch list entry");
        for (kind, subject, source) in &expired {
            let subject = WatchSubject::parse(kind, subject).map_err(|_| corrupt())?;
            let source = WatchSource::parse(source).ok_or_else(corrupt)?;
            remove(tx, &subject, source, self.at)?;
        }
        Ok(expired.len())
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
            let removed = remove(tx, subject, WatchSource::Configuration, self.at)?;
            outcome.removed += usize::from(removed);
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
    let room = policy.room(watched_users(tx)?);
    for subject in strangers.iter().take(room) {
        add(tx, subject, WatchSource::Webhook, at)?;
    }
    Ok(strangers.len().saturating_sub(room))
}

fn watched_users(tx: &Savepoint<'_>) -> Result<usize, StoreError> {
    Ok(tx
        .prepare_cached("SELECT subjects FROM watch_total WHERE kind = 'user'")?
        .query_row([], |row| row.get(0))?)
}

fn configured_before(tx: &Savepoint<'_>) -> Result<BTreeSet<WatchSubject>, StoreError> {
    let mut select = tx.prepare_cached("SELECT kind, subject FROM watch WHERE source = ?1")?;
    let mut rows = select.query([WatchSource::Configuration.as_str()])?;
    let mut found = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let (kind, subject): (String, String) = (row.get(0)?, row.get(1)?);
        let subject = WatchSubject::parse(&kind, &subject);
        found.insert(subject.map_err(|_| StoreError::Corrupt("watch list entry"))?);
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

/// Takes a reason away; tells whether it was there and none is left.
fn remove(
    tx: &Savepoint<'_>,
    subject: &WatchSubject,
    source: WatchSource,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let removed = tx
        .prepare_cached("DELETE FROM watch WHERE kind = ?1 AND subject = ?2 AND source = ?3")?
        .execute(params![subject.kind(), subject.text(), source.as_str()])?;
    let is_last = removed > 0 && !is_watched(tx, subject)?;
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
