//! The watch list for people: what is watched, why, and how it stands.

use super::{PollState, Reader};
use crate::{
    domain::{Login, Timestamp},
    store::{StoreError, sql::params},
};

/// A reason to watch something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchReason {
    /// Who wants it, such as `configuration` or `webhook`.
    pub source: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; for ever where nobody said.
    pub expires_at: Option<Timestamp>,
    /// What the operator noted.
    pub note: Option<String>,
}

/// A watched user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedUser {
    /// The user.
    pub login: Login,
    /// Whether the user is followed, and not listed.
    pub is_followed: bool,
    /// The user's name and status, unless there is no snapshot yet.
    pub name_and_status: Option<(String, String)>,
    /// When the service last answered.
    pub observed_at: Option<Timestamp>,
    /// How the last question ended.
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
    /// How the last question ended.
    pub poll: Option<PollState>,
    /// Users seen there, unless there is no snapshot yet.
    pub users: Option<u64>,
}

/// Which subjects of the watch list are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchView {
    /// Those of whom the last question was not answered.
    Problem,
    /// Those that the configuration lists.
    Configured,
    /// Those that an operator lists up to a moment.
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
                // By the index of those that are listed: followed users can be a million.
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
    /// How many subjects of a kind (`user`, `ip`) a view has.
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
        let row = |login: &String| {
            let reasons = self.watch_reasons("user", login)?;
            self.watched_user_row(login, reasons.iter().all(|reason| reason.source == "webhook"))
        };
        logins.iter().map(row).collect()
    }

    /// Why a user or an address (`user`, `ip`) is watched; empty when it is not.
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

    /// Listed users, those who fail most first, and then followed ones by login; `limit` of
    /// them after the first `offset`. Of followed ones, who can be many, no order is made.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_users_page(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedUser>, StoreError> {
        let listed = usize::try_from(self.watched_count("user")?).unwrap_or(usize::MAX);
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
        let users = logins.iter().enumerate();
        users.map(|(position, login)| self.watched_user_row(login, position >= of_listed)).collect()
    }

    fn watched_user_row(&self, login: &str, is_followed: bool) -> Result<WatchedUser, StoreError> {
        let row = self.sql().optional(
            "SELECT state ->> 'display_name', state ->> 'status', observed_at
             FROM user_snapshot WHERE login = ?1",
            params![login],
            |row| {
                let (name, status): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
                Ok((name.zip(status), row.get(2)?))
            },
        )?;
        Ok(WatchedUser {
            login: self.spelled(login)?,
            is_followed,
            observed_at: row.as_ref().map(|(_, at)| *at),
            name_and_status: row.and_then(|(name_and_status, _)| name_and_status),
            poll: self.poll_of("user", login)?,
            failing_checks: self.count_failing_checks(login)?,
        })
    }

    /// Watched addresses, ordered; `limit` of them after the first `offset`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_ips_page(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedIp>, StoreError> {
        self.sql().all(
            "SELECT w.subject, s.observed_at,
                    (SELECT count(*) FROM json_each(s.users) WHERE s.users IS NOT NULL)
             FROM (SELECT DISTINCT subject FROM watch WHERE kind = 'ip') AS w
             LEFT JOIN ip_snapshot AS s ON s.ip = w.subject
             ORDER BY w.subject LIMIT ?2 OFFSET ?1",
            params![offset, limit],
            |row| {
                let ip: String = row.get(0)?;
                let observed_at: Option<Timestamp> = row.get(1)?;
                let users: u64 = row.get(2)?;
                Ok(WatchedIp {
                    poll: self.poll_of("ip", &ip)?,
                    ip,
                    observed_at,
                    users: observed_at.map(|_| users),
                })
            },
        )
    }
}
