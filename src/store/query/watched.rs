//! The watch list for people: the subjects, why they are watched, and their state.

use std::collections::{HashMap, HashSet};

use super::{PollState, Reader};
use crate::{
    domain::{Login, Timestamp},
    store::{
        StoreError,
        row::user_state::{NAME, STATUS},
        sql::params,
    },
};

/// A reason to watch a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchReason {
    /// The source, such as `configuration` or `webhook`.
    pub source: String,
    /// Since when.
    pub since: Timestamp,
    /// When the reason expires; none when it never does.
    pub expires_at: Option<Timestamp>,
    /// The operator's note.
    pub note: Option<String>,
}

/// A watched user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedUser {
    /// The user.
    pub login: Login,
    /// Whether the user is followed and not listed.
    pub is_followed: bool,
    /// The user's name and status, if there is a snapshot.
    pub name_and_status: Option<(String, String)>,
    /// When the service last answered.
    pub observed_at: Option<Timestamp>,
    /// How the last poll ended.
    pub poll: Option<PollState>,
    /// Checks the user fails now.
    pub failing_checks: u64,
}

/// A watched address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedIp {
    /// The address.
    pub ip: String,
    /// When the service last answered.
    pub observed_at: Option<Timestamp>,
    /// How the last poll ended.
    pub poll: Option<PollState>,
    /// The number of users seen there; none without a snapshot.
    pub users: Option<u64>,
}

/// A view of the watch list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchView {
    /// Subjects whose last poll was not answered.
    Problem,
    /// Subjects that the configuration lists.
    Configured,
    /// Subjects whose operator's entry expires.
    Expiring,
}

impl WatchView {
    /// The subjects of a kind (`?1`), by the primary keys of polls or of the list.
    const fn subjects(self) -> &'static str {
        match self {
            Self::Problem => {
                "SELECT subject FROM poll AS p WHERE kind = ?1 AND outcome <> 'answered'
                 AND EXISTS (SELECT 1 FROM watch AS w WHERE w.kind = ?1 AND w.subject = p.subject)"
            }
            Self::Configured => {
                // Uses the index of listed subjects: there can be a million followed users.
                "SELECT subject FROM watch
                 WHERE kind = ?1 AND source <> 'webhook' AND source = 'configuration'"
            }
            Self::Expiring => {
                "SELECT DISTINCT subject FROM watch
                 WHERE kind = ?1 AND source <> 'webhook' AND expires_at IS NOT NULL"
            }
        }
    }
}

impl Reader {
    /// The number of subjects of a kind (`user`, `ip`) in a view.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_view_count(&self, kind: &str, view: WatchView) -> Result<u64, StoreError> {
        self.sql()
            .count(&format!("SELECT count(*) FROM ({}) AS viewed", view.subjects()), params![kind])
    }

    /// The users of a view by login, `limit` of them after the first `offset`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_users_of(
        &self,
        view: WatchView,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedUser>, StoreError> {
        let sql = format!("{} ORDER BY subject LIMIT ?3 OFFSET ?2", view.subjects());
        let logins = self.sql().texts(&sql, params!["user", offset, limit])?;
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        let listed = self.sql().texts(
            "SELECT DISTINCT subject FROM watch
             WHERE kind = 'user' AND source <> 'webhook' AND subject IN rarray(?1)",
            params![logins[..]],
        )?;
        let listed: HashSet<_> = listed.into_iter().collect();
        self.watched_users(&logins, |_, login| !listed.contains(login))
    }

    /// The reasons why a subject of a kind (`user`, `ip`) is watched; empty when it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_reasons(&self, kind: &str, subject: &str) -> Result<Vec<WatchReason>, StoreError> {
        self.sql().all(
            "SELECT source, added_at, expires_at, note FROM watch
             WHERE kind = ?1 AND subject = ?2 ORDER BY added_at, source",
            params![kind, subject],
            |row| {
                Ok(WatchReason {
                    source: row.get(0)?,
                    since: row.get(1)?,
                    expires_at: row.get(2)?,
                    note: row.get(3)?,
                })
            },
        )
    }

    /// Listed users, those with most failing checks first, and then followed ones by login; `limit`
    /// of them after the first `offset`. Followed ones can be many and are not sorted by failing
    /// checks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_users_page(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedUser>, StoreError> {
        let listed = usize::try_from(self.counts()?.users).unwrap_or(usize::MAX);
        let mut logins = self.sql().texts(
            "SELECT subject FROM (
                SELECT DISTINCT subject FROM watch WHERE kind = 'user' AND source <> 'webhook'
             ) AS listed
             ORDER BY (
                SELECT count(*) FROM failure JOIN checks ON number = check_number
                WHERE login = subject AND is_hidden = 0) DESC, subject
             LIMIT ?2 OFFSET ?1",
            params![offset, limit],
        )?;
        let of_listed = logins.len();
        logins.extend(self.sql().texts(
            "SELECT subject FROM watch AS w WHERE kind = 'user' AND source = 'webhook'
             AND NOT EXISTS (
                SELECT 1 FROM watch AS other WHERE other.kind = 'user'
                AND other.subject = w.subject AND other.source <> 'webhook')
             ORDER BY subject LIMIT ?2 OFFSET ?1",
            params![offset.saturating_sub(listed), limit - of_listed],
        )?);
        let logins: Vec<_> = logins.iter().map(String::as_str).collect();
        self.watched_users(&logins, |position, _| position >= of_listed)
    }

    /// The state of these users, in their order. `is_followed` takes a position and a login, and
    /// returns whether the user is followed and not listed.
    fn watched_users(
        &self,
        logins: &[&str],
        is_followed: impl Fn(usize, &str) -> bool,
    ) -> Result<Vec<WatchedUser>, StoreError> {
        let mut known = HashMap::new();
        let sql = format!(
            "SELECT login, {NAME}, {STATUS}, observed_at FROM user_snapshot
             WHERE login IN rarray(?1)"
        );
        self.sql().each(&sql, params![logins], |row| {
            let (name, status): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            known.insert(row.get::<String>(0)?, (name.zip(status), row.get(3)?));
            Ok(())
        })?;
        let mut polls = self.polls_of("user", logins)?;
        let failing = self.count_failing_checks_of(logins)?;
        let spelled = self.logins_in_spelling(logins)?;
        let users = logins.iter().zip(spelled).enumerate().map(|(position, (login, spelled))| {
            let (name_and_status, observed_at) = known.remove(*login).unzip();
            WatchedUser {
                login: spelled,
                is_followed: is_followed(position, login),
                name_and_status: name_and_status.flatten(),
                observed_at,
                poll: polls.remove(*login),
                failing_checks: failing.get(*login).copied().unwrap_or_default(),
            }
        });
        Ok(users.collect())
    }

    /// Watched addresses in order; `limit` of them after the first `offset`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ips_page(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedIp>, StoreError> {
        let mut ips = self.sql().all(
            "SELECT w.subject, s.observed_at,
                    CASE WHEN s.form = 1 THEN (SELECT count(*) FROM json_each(s.users)) END
             FROM (SELECT DISTINCT subject FROM watch WHERE kind = 'ip') AS w
             LEFT JOIN ip_snapshot AS s ON s.ip = w.subject
             ORDER BY w.subject LIMIT ?2 OFFSET ?1",
            params![offset, limit],
            |row| {
                let observed_at: Option<Timestamp> = row.get(1)?;
                Ok(WatchedIp { ip: row.get(0)?, observed_at, poll: None, users: row.get(2)? })
            },
        )?;
        let subjects: Vec<_> = ips.iter().map(|found| found.ip.as_str()).collect();
        let mut polls = self.polls_of("ip", &subjects)?;
        for found in &mut ips {
            found.poll = polls.remove(&found.ip);
        }
        Ok(ips)
    }
}
