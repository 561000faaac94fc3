//! The watch list for people: what is watched, why, and how it stands.

use rusqlite::params;

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

    /// Watched users, those who fail most first; `limit` of them after the first
    /// `offset`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_users_page(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<WatchedUser>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            // Sorted before snapshots are joined, so that few of them are parsed.
            "SELECT w.subject, s.state ->> '$.display_name', s.state ->> '$.status',
                    s.observed_at, w.failing
             FROM (
                SELECT subject, (
                    SELECT count(*) FROM failure WHERE login = subject
                ) AS failing
                FROM (SELECT DISTINCT subject FROM watch WHERE kind = 'user')
                ORDER BY failing DESC, subject LIMIT ?2 OFFSET ?1
             ) AS w
             LEFT JOIN user_snapshot AS s ON s.login = w.subject
             ORDER BY w.failing DESC, w.subject",
        )?;
        let mut rows = statement.query(params![bound(offset), bound(limit)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let name: Option<String> = row.get(1)?;
            let status: Option<String> = row.get(2)?;
            let login: String = row.get(0)?;
            found.push(WatchedUser {
                poll: self.poll_of("user", &login)?,
                login: self.spelled(&login)?,
                name_and_status: name.zip(status),
                observed_at: row.get::<_, Option<Moment>>(3)?.map(Timestamp::from),
                failing_checks: row.get(4)?,
            });
        }
        Ok(found)
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
