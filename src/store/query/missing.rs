//! Users whom the service does not know: how many are missing from an answer that should have them.

use std::collections::HashMap;

use super::Reader;
use crate::{
    domain::{Login, Timestamp, failure::Missing},
    store::{StoreError, sql::params},
};

impl Reader {
    /// How many of these users, whom the service does not know, were not known to be missing
    /// before, and since when the service is suspected because of one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn newly_unknown(&self, logins: &[Login]) -> Result<Missing, StoreError> {
        let mut missing = Missing::default();
        let identities: Vec<_> = logins.iter().map(Login::as_str).collect();
        let mut answered = HashMap::<String, [Option<Timestamp>; 2]>::new();
        self.sql().each(
            "SELECT login, unknown_since, suspect_since FROM failure_answer
             WHERE login IN rarray(?1)",
            params![identities[..]],
            |row| {
                answered.insert(row.get(0)?, [row.get(1)?, row.get(2)?]);
                Ok(())
            },
        )?;
        for login in identities {
            let [unknown_since, suspect_since] = answered.get(login).copied().unwrap_or_default();
            if unknown_since.is_some() {
                continue;
            }
            missing.newly_unknown += 1;
            missing.suspect_since = match (missing.suspect_since, suspect_since) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        Ok(missing)
    }

    /// When the listing whose pages are all recorded began, and which users it lacks that the last
    /// complete one, or answers, had. With rows that could not be read, no user is missing for
    /// certain. None when no listing waits for its verdicts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn missing_from_listing(&self) -> Result<Option<(Timestamp, Missing)>, StoreError> {
        let listing = self.sql().optional(
            "SELECT number, begun_at, users, skipped FROM listing
             WHERE state = 'under_way' AND ended_at IS NOT NULL",
            &[],
            |row| {
                let (users, skipped): (i64, i64) = (row.get(2)?, row.get(3)?);
                Ok((row.get::<i64>(0)?, row.get(1)?, users, skipped))
            },
        )?;
        let Some((number, begun_at, users, skipped)) = listing else { return Ok(None) };
        if skipped > 0 {
            return Ok(Some((begun_at, Missing { knows_somebody: true, ..Missing::default() })));
        }
        let missing = self.sql().one(
            "WITH known AS (
                SELECT login FROM listing_member
                WHERE listing = (SELECT number FROM listing WHERE state = 'done')
                UNION SELECT login FROM failure_answer
                WHERE listed_at IS NOT NULL AND unknown_since IS NULL
             ), absent AS (
                SELECT login FROM known WHERE NOT EXISTS (
                    SELECT 1 FROM listing_member AS m
                    WHERE m.listing = ?1 AND m.login = known.login)
             )
             SELECT (SELECT count(*) FROM known), count(*), min(suspect_since)
             FROM absent LEFT JOIN failure_answer AS answer USING (login)
             WHERE answer.unknown_since IS NULL",
            params![number],
            |row| {
                Ok(Missing {
                    asked: row.get(0)?,
                    newly_unknown: row.get(1)?,
                    knows_somebody: users > 0,
                    suspect_since: row.get(2)?,
                })
            },
        )?;
        Ok(Some((begun_at, missing)))
    }

    /// Whether answers about at least one user have a text in the place of a check.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_exchanges(&self) -> Result<bool, StoreError> {
        self.sql().exists("SELECT 1 FROM failure_answer WHERE exchange IS NOT NULL", &[])
    }
}
