//! The watch list for people: what is watched, why, and how it stands.

use rusqlite::{OptionalExtension, params};

use super::{PollState, Reader};
use crate::{
    domain::{Login, Timestamp},
    store::{StoreError, row::Moment},
};

/// A reason to watch something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchReason {
    /// Who wants it, such as `configuration` or `webhook`.
    pub source: String,
    /// Since when.
    pub since: Timestamp,
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

impl Reader {
    /// Why a user or an address (`user`, `ip`) is watched; empty when it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_reasons(&self, kind: &str, subject: &str) -> Result<Vec<WatchReason>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT source, added_at FROM watch WHERE kind = ?1 AND subject = ?2 ORDER BY added_at",
        )?;
        let mut rows = statement.query([kind, subject])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(WatchReason { source: row.get(0)?, since: row.get::<_, Moment>(1)?.0 });
        }
        Ok(found)
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
        let mut logins = self.texts(
            "SELECT subject FROM (
                SELECT DISTINCT subject FROM watch WHERE kind = 'user' AND source <> 'webhook')
             ORDER BY (
                SELECT count(*) FROM failure JOIN checks ON number = check_number
                WHERE login = subject AND NOT is_hidden) DESC, subject
             LIMIT ?2 OFFSET ?1",
            params![bound(offset), bound(limit)],
        )?;
        let of_listed = logins.len();
        logins.extend(self.texts(
            "SELECT subject FROM watch AS w WHERE kind = 'user' AND source = 'webhook'
             AND NOT EXISTS (
                SELECT 1 FROM watch AS other WHERE other.kind = 'user'
                AND other.subject = w.subject AND other.source <> 'webhook')
             ORDER BY subject LIMIT ?2 OFFSET ?1",
            params![bound(offset.saturating_sub(listed)), bound(limit - of_listed)],
        )?);
        let users = logins.iter().enumerate();
        users.map(|(position, login)| self.watched_user_row(login, position >= of_listed)).collect()
    }

    fn watched_user_row(&self, login: &str, is_followed: bool) -> Result<WatchedUser, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT state ->> '$.display_name', state ->> '$.status', observed_at
                 FROM user_snapshot WHERE login = ?1",
            )?
            .query_row([login], |row| {
                let (name, status): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
                Ok((name.zip(status), row.get::<_, Moment>(2)?.0))
            })
            .optional()?;
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
        let mut statement = self.connection.prepare_cached(
            "SELECT w.subject, s.observed_at,
                    (SELECT count(*) FROM json_each(s.users) WHERE s.users IS NOT NULL)
             FROM (SELECT DISTINCT subject FROM watch WHERE kind = 'ip') AS w
             LEFT JOIN ip_snapshot AS s ON s.ip = w.subject
             ORDER BY w.subject LIMIT ?2 OFFSET ?1",
        )?;
        let mut rows = statement.query(params![bound(offset), bound(limit)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let observed_at = row.get::<_, Option<Moment>>(1)?.map(Timestamp::from);
            let users: u64 = row.get(2)?;
            let ip: String = row.get(0)?;
            found.push(WatchedIp {
                poll: self.poll_of("ip", &ip)?,
                ip,
                observed_at,
                users: observed_at.map(|_| users),
            });
        }
        Ok(found)
    }
}

fn bound(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
