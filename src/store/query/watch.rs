//! The watch list.

use super::{PollState, Reader};
use crate::{
    domain::{IpAddress, Login, Timestamp, WatchEntry, WatchSource, WatchSubject},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

/// A reason to watch something, with how the last question about it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The reason.
    pub entry: WatchEntry,
    /// How the last question ended; nothing before the first.
    pub poll: Option<PollState>,
}

impl Reader {
    /// The users that are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_logins(&self) -> Result<Vec<Login>, StoreError> {
        self.watched("user")?.iter().map(|identity| self.spelled(identity)).collect()
    }

    /// The users who fail a check and are not watched; with `named_only`, those
    /// of them whom a webhook named.
    ///
    /// # Errors
    /// When the database fails.
    pub fn unwatched_failing_logins(&self, named_only: bool) -> Result<Vec<Login>, StoreError> {
        self.logins(
            "SELECT DISTINCT login FROM failure
             WHERE (delivery IS NOT NULL OR NOT ?1) AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login
             )",
            [named_only],
        )
    }

    /// The addresses that are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ips(&self) -> Result<Vec<IpAddress>, StoreError> {
        self.watched("ip")?
            .iter()
            .map(|text| text.parse().map_err(|_| unknown(text, "address")))
            .collect()
    }

    /// Every reason to watch something, by subject.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_list(&self) -> Result<Vec<Watched>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT kind, subject, source, added_at, expires_at, note FROM watch
             ORDER BY kind DESC, subject, source",
        )?;
        let mut rows = select.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, subject): (String, String) = (row.get(0)?, row.get(1)?);
            let poll = self.poll_of(&kind, &subject)?;
            let entry = WatchEntry {
                subject: self.watch_subject(&kind, &subject)?,
                source: WatchSource::parse(&row.get::<_, String>(2)?)
                    .ok_or_else(|| unknown(&subject, "source"))?,
                added_at: row.get::<_, Moment>(3)?.0,
                expires_at: row.get::<_, Option<Moment>>(4)?.map(Timestamp::from),
                note: row.get(5)?,
            };
            found.push(Watched { entry, poll });
        }
        Ok(found)
    }

    /// Whether an entry was to be watched up to a moment that has passed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_expired(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM watch WHERE expires_at <= ?1")?;
        Ok(statement.exists([Moment(now)])?)
    }

    /// How many subjects of a kind (`user`, `ip`) are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_count(&self, kind: &str) -> Result<u64, StoreError> {
        self.count("SELECT iif(?1 = 'user', users, ips) FROM head", [kind])
    }

    pub(super) fn is_watched(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM watch WHERE kind = ?1 AND subject = ?2")?;
        Ok(statement.exists([kind, subject])?)
    }

    /// A subject of the watch list; a user in the spelling that is kept.
    pub(super) fn watch_subject(&self, kind: &str, text: &str) -> Result<WatchSubject, StoreError> {
        match WatchSubject::parse(kind, text) {
            Ok(WatchSubject::User(login)) => Ok(WatchSubject::User(self.spelled(login.as_str())?)),
            Ok(subject) => Ok(subject),
            Err(_) => Err(unknown(text, "kind or subject")),
        }
    }

    fn watched(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        self.texts("SELECT DISTINCT subject FROM watch WHERE kind = ?1 ORDER BY subject", [kind])
    }
}

fn unknown(subject: &str, what: &'static str) -> StoreError {
    StoreError::corrupt("watch", subject, Unreadable::Unknown(what))
}
