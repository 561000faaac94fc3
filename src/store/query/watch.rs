//! The watch list.

use std::collections::{HashMap, HashSet};

use super::{PollState, Reader};
use crate::{
    domain::{IpAddress, Login, Timestamp, WatchEntry, WatchSource, WatchSubject},
    ledger::Counts,
    store::{StoreError, load, row::Unreadable, sql::params},
};

/// Maximum number of followed users in the watch list.
const FOLLOWED_SHOWN: i64 = 10_000;

/// A reason to watch a subject, with how its last poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The reason.
    pub entry: WatchEntry,
    /// How the last poll ended; none before the first.
    pub poll: Option<PollState>,
}

/// A position in the watch list: after an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchPlace {
    /// The kind of the entry's subject: `user` or `ip`.
    pub kind: String,
    /// The login's identity, or the address.
    pub subject: String,
    /// The source of the entry.
    pub source: String,
}

impl WatchPlace {
    /// The position after this entry.
    #[must_use]
    pub fn behind(entry: &WatchEntry) -> Self {
        Self {
            kind: entry.subject.kind().to_owned(),
            subject: match &entry.subject {
                WatchSubject::User(login) => login.as_str().to_owned(),
                WatchSubject::Ip(address) => address.to_string(),
            },
            source: entry.source.as_str().to_owned(),
        }
    }
}

impl Reader {
    /// The users that are listed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn listed_logins(&self) -> Result<Vec<Login>, StoreError> {
        self.logins(
            "SELECT DISTINCT subject FROM watch WHERE kind = 'user' AND source <> 'webhook'
             ORDER BY subject",
            &[],
        )
    }

    /// Users who are followed and not listed, the oldest entries first, so that a user who is
    /// within a limit stays within it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn followed_logins(&self) -> Result<Vec<Login>, StoreError> {
        self.logins(
            "SELECT subject FROM watch AS w WHERE kind = 'user' AND source = 'webhook'
             AND NOT EXISTS (
                SELECT 1 FROM watch AS other WHERE other.kind = 'user'
                AND other.subject = w.subject AND other.source <> 'webhook')
             ORDER BY added_at, subject",
            &[],
        )
    }

    /// Users who are followed and not listed, and have a snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub fn followed_with_snapshot(&self) -> Result<Vec<Login>, StoreError> {
        self.logins(
            // Starts from snapshots: they are few compared with followed users.
            "SELECT login FROM user_snapshot WHERE EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login
                AND source = 'webhook')
             AND NOT EXISTS (
                SELECT 1 FROM watch WHERE kind = 'user' AND subject = login
                AND source <> 'webhook')",
            &[],
        )
    }

    /// The first users who fail a check and are neither listed nor followed; those with the oldest
    /// answer first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn unwatched_failing_logins(&self, limit: usize) -> Result<Vec<Login>, StoreError> {
        self.logins(
            "SELECT login FROM (
                SELECT DISTINCT login FROM failure WHERE NOT EXISTS (
                    SELECT 1 FROM watch WHERE kind = 'user' AND subject = login)
             ) AS known
             LEFT JOIN failure_answer AS answer USING (login)
             ORDER BY coalesce(answer.as_of, 0), login LIMIT ?1",
            params![limit],
        )
    }

    /// The addresses that are watched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ips(&self) -> Result<Vec<IpAddress>, StoreError> {
        self.watched("ip")?
            .iter()
            .map(|text| text.parse().map_err(|_| unknown_value(text, "address")))
            .collect()
    }

    /// The reasons to watch, by subject: all from operators, and the first from deliveries by
    /// login. Deliveries can name a whole tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_list(&self) -> Result<Vec<Watched>, StoreError> {
        self.watch_page(None, usize::MAX)
    }

    /// Up to `limit` entries after this position.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_page(
        &self,
        after: Option<&WatchPlace>,
        limit: usize,
    ) -> Result<Vec<Watched>, StoreError> {
        let mut found = Vec::new();
        for kind in ["user", "ip"] {
            let place = match after {
                Some(place) if place.kind == kind => place.clone(),
                // Users come before addresses, so all of them precede this address.
                Some(place) if place.kind == "ip" => continue,
                _ => WatchPlace::default(),
            };
            self.watch_page_of(kind, &place, limit - found.len(), &mut found)?;
        }
        Ok(found)
    }

    fn watch_page_of(
        &self,
        kind: &str,
        after: &WatchPlace,
        limit: usize,
        found: &mut Vec<Watched>,
    ) -> Result<(), StoreError> {
        let rows = self.sql().all(
            "SELECT subject, source, added_at, expires_at, note FROM watch
             WHERE kind = ?1 AND (subject, source) > (?2, ?3)
             AND (source <> 'webhook' OR subject IN (
                SELECT subject FROM watch WHERE kind = 'user' AND source = 'webhook'
                ORDER BY subject LIMIT ?4))
             ORDER BY subject, source LIMIT ?5",
            params![kind, after.subject, after.source, FOLLOWED_SHOWN, limit],
            |row| {
                let subject = row.text(0)?;
                let source = WatchSource::parse(row.text(1)?);
                let entry = WatchEntry {
                    subject: parse_subject(kind, subject)?,
                    source: source.ok_or_else(|| unknown_value(subject, "source"))?,
                    added_at: row.get(2)?,
                    expires_at: row.get(3)?,
                    note: row.get(4)?,
                };
                Ok((subject.to_owned(), entry))
            },
        )?;
        // One query for all subjects: a page of the list can have many.
        let mut subjects: Vec<_> = rows.iter().map(|(subject, _)| subject.as_str()).collect();
        subjects.dedup();
        let polls = self.polls_of(kind, &subjects)?;
        let logins = if kind == "user" { self.logins_in_spelling(&subjects)? } else { Vec::new() };
        let logins = logins.into_iter().map(|login| (login.as_str().to_owned(), login));
        let spelled: HashMap<_, _> = logins.collect();
        for (subject, mut entry) in rows {
            if let Some(login) = spelled.get(&subject) {
                entry.subject = WatchSubject::User(login.clone());
            }
            found.push(Watched { entry, poll: polls.get(&subject).cloned() });
        }
        Ok(())
    }

    /// Whether at least one entry has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_expired_watch(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.sql().exists("SELECT 1 FROM watch WHERE expires_at <= ?1", params![now])
    }

    /// The counts over the whole store.
    ///
    /// # Errors
    /// When the database fails.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        Ok(load::head(self.sql())?.1)
    }

    pub(super) fn is_watched(&self, kind: &str, subject: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM watch WHERE kind = ?1 AND subject = ?2";
        self.sql().exists(sql, params![kind, subject])
    }

    /// Those of these subjects of one kind that are watched.
    pub(super) fn watched_of(
        &self,
        kind: &str,
        subjects: &[&str],
    ) -> Result<HashSet<String>, StoreError> {
        let sql = "SELECT DISTINCT subject FROM watch WHERE kind = ?1 AND subject IN rarray(?2)";
        Ok(self.sql().texts(sql, params![kind, subjects])?.into_iter().collect())
    }

    /// Subjects of the watch list, from their kinds and texts; users in the stored spelling.
    pub(super) fn watch_subjects(
        &self,
        found: &[(String, String)],
    ) -> Result<Vec<WatchSubject>, StoreError> {
        let parsed = found.iter().map(|(kind, text)| parse_subject(kind, text));
        let mut subjects: Vec<_> = parsed.collect::<Result<_, _>>()?;
        let users = found.iter().filter(|(kind, _)| kind == "user");
        let users: Vec<_> = users.map(|(_, login)| login.as_str()).collect();
        let mut spelled = self.logins_in_spelling(&users)?.into_iter();
        for subject in &mut subjects {
            if let WatchSubject::User(login) = subject
                && let Some(as_kept) = spelled.next()
            {
                *login = as_kept;
            }
        }
        Ok(subjects)
    }

    fn watched(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT subject FROM watch WHERE kind = ?1 ORDER BY subject";
        self.sql().texts(sql, params![kind])
    }
}

/// A subject of the watch list; a user with the login's identity.
fn parse_subject(kind: &str, text: &str) -> Result<WatchSubject, StoreError> {
    WatchSubject::parse(kind, text).map_err(|_| unknown_value(text, "kind or subject"))
}

fn unknown_value(subject: &str, what: &'static str) -> StoreError {
    StoreError::corrupt("watch", subject, Unreadable::Unknown(what))
}
