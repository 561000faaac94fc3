//! New deliveries and watch entries since a cursor, and the users concerned.

use std::collections::HashMap;

use super::Reader;
use crate::{
    domain::{EventName, WatchSource, WatchStanding, WatchSubject},
    store::{StoreError, row::body, sql::params},
};

/// The position of a reader of deliveries and of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewsCursor {
    /// The number of the last delivery that was read.
    pub delivery: i64,
    /// The number of the last event that was read.
    pub event: i64,
}

/// Maximum number of users in one statement.
const ASKED_AT_ONCE: usize = 1000;

/// How a user is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchedAs {
    /// Whether the user is listed, or only followed.
    pub standing: WatchStanding,
    /// Whether the user has a snapshot.
    pub has_snapshot: bool,
}

impl Reader {
    /// The numbers of the newest delivery and the newest event.
    ///
    /// # Errors
    /// When the database fails.
    pub fn news_cursor(&self) -> Result<NewsCursor, StoreError> {
        let delivery = self.sql().one("SELECT delivery FROM head", &[], |row| row.get(0))?;
        Ok(NewsCursor { delivery, event: self.last_seq()? })
    }

    /// The bodies of accepted deliveries after this number, as received, each with the delivery's
    /// number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn accepted_bodies_after(
        &self,
        delivery: i64,
        limit: usize,
    ) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql().all(
            "SELECT seq, body, body_form FROM delivery
             WHERE seq > ?1 AND outcome = 'accepted' AND body IS NOT NULL
             ORDER BY seq LIMIT ?2",
            params![delivery, limit],
            |row| {
                let seq: i64 = row.get(0)?;
                let body = body::unpack(row.get(2)?, row.bytes(1)?);
                Ok((seq, body.map_err(|error| StoreError::corrupt("delivery", &seq, error))?))
            },
        )
    }

    /// Whether a delivery after this number was accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_accepted_after(&self, delivery: i64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM delivery WHERE seq > ?1 AND outcome = 'accepted'";
        self.sql().exists(sql, params![delivery])
    }

    /// Subjects that the configuration or a command added to the watch list after this event, with
    /// the number of the last event that was read.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watch_additions_after(
        &self,
        event: i64,
        limit: usize,
    ) -> Result<(i64, Vec<WatchSubject>), StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let found: Vec<(String, String)> = self.sql().all(
            "SELECT CASE WHEN login IS NULL THEN 'ip' ELSE 'user' END, coalesce(login, ip)
             FROM event WHERE seq > ?1 AND name = ?2 AND EXISTS (
                SELECT 1 FROM watch
                WHERE kind = CASE WHEN event.login IS NULL THEN 'ip' ELSE 'user' END
                AND subject = coalesce(event.login, event.ip)
                AND source IN ('configuration', 'command'))
             ORDER BY seq LIMIT ?3",
            params![event, EventName::WatchAdded.as_str(), limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok((self.last_seq()?, self.watch_subjects(&found)?))
    }

    /// How these users are watched; users who are not are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub fn watched_among(&self, logins: &[&str]) -> Result<HashMap<String, WatchedAs>, StoreError> {
        let mut found = HashMap::new();
        for some in logins.chunks(ASKED_AT_ONCE) {
            let mut sources = HashMap::<String, Vec<WatchSource>>::new();
            let reasons = "SELECT subject, source FROM watch
                WHERE kind = 'user' AND subject IN rarray(?1)";
            self.sql().each(reasons, params![some], |row| {
                let of_user = sources.entry(row.get(0)?).or_default();
                of_user.extend(WatchSource::parse(row.text(1)?));
                Ok(())
            })?;
            found.extend(sources.into_iter().filter_map(|(login, sources)| {
                let standing = WatchStanding::of(sources)?;
                Some((login, WatchedAs { standing, has_snapshot: false }))
            }));
            let snapshots = "SELECT login FROM user_snapshot WHERE login IN rarray(?1)";
            self.sql().each(snapshots, params![some], |row| {
                if let Some(known) = found.get_mut(row.text(0)?) {
                    known.has_snapshot = true;
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}
