//! What came in since a cursor, and whom it concerns.

use rusqlite::{OptionalExtension, params};

use super::Reader;
use crate::{
    domain::{EventName, WatchStanding, WatchSubject},
    store::{StoreError, row::body},
};

/// How far somebody has read deliveries and the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewsCursor {
    /// Number of the newest delivery that was read.
    pub delivery: i64,
    /// Number of the newest event that was read.
    pub event: i64,
}

impl Reader {
    /// Where the newest delivery and the newest event are.
    ///
    /// # Errors
    /// When the database fails.
    pub fn news_cursor(&self) -> Result<NewsCursor, StoreError> {
        let delivery = self
            .connection
            .prepare_cached("SELECT delivery FROM head")?
            .query_row([], |row| row.get(0))?;
        Ok(NewsCursor { delivery, event: self.last_seq()? })
    }

    /// The bodies of accepted deliveries after this number, as received, each
    /// with its own number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accepted_bodies_after(
        &self,
        delivery: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq, body, body_form FROM delivery
             WHERE seq > ?1 AND outcome = 'accepted' AND body IS NOT NULL
             ORDER BY seq LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = select.query(params![delivery, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(1)?.as_bytes().map_err(rusqlite::Error::from)?;
            let body = body::unpack(row.get(2)?, body);
            let seq: i64 = row.get(0)?;
            let body = body.map_err(|error| StoreError::corrupt("delivery", &seq, error))?;
            found.push((seq, body));
        }
        Ok(found)
    }

    /// Whether a delivery after this number was accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_accepted_after(&self, delivery: i64) -> Result<bool, StoreError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT 1 FROM delivery WHERE seq > ?1 AND outcome = 'accepted'")?;
        Ok(select.exists([delivery])?)
    }

    /// What the configuration or a command put on the watch list after this event,
    /// with the number of the last event that was read.
    ///
    /// # Errors
    /// When the database fails.
    pub fn listed_after(
        &self,
        event: i64,
        limit: usize,
    ) -> Result<(i64, Vec<WatchSubject>), StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT seq, iif(login IS NULL, 'ip', 'user') AS of_kind, coalesce(login, ip) AS about
             FROM event WHERE seq > ?1 AND name = ?2 AND EXISTS (
                SELECT 1 FROM watch WHERE kind = iif(event.login IS NULL, 'ip', 'user')
                AND subject = coalesce(event.login, event.ip)
                AND source IN ('configuration', 'command'))
             ORDER BY seq LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = select.query(params![event, EventName::WatchAdded.as_str(), limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, about): (String, String) = (row.get(1)?, row.get(2)?);
            found.push(self.watch_subject(&kind, &about)?);
        }
        Ok((self.last_seq()?, found))
    }

    /// How a user is watched; nothing when the user is not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn standing(&self, login: &str) -> Result<Option<WatchStanding>, StoreError> {
        let is_listed = self
            .connection
            .prepare_cached(
                "SELECT max(source IN ('configuration', 'command')) FROM watch
                 WHERE kind = 'user' AND subject = ?1",
            )?
            .query_row([login], |row| row.get::<_, Option<bool>>(0))
            .optional()?
            .flatten();
        Ok(is_listed.map(
            |is_listed| {
                if is_listed { WatchStanding::Listed } else { WatchStanding::Followed }
            },
        ))
    }

    /// Whether a user has a snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_snapshot(&self, login: &str) -> Result<bool, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT 1 FROM user_snapshot WHERE login = ?1")?;
        Ok(select.exists([login])?)
    }
}
