//! How many users failed each check in the past, as far as the log tells.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use super::Reader;
use crate::{
    domain::{
        EventName, Severity, Timestamp,
        failure::{Curve, Curves, Grid, PastStep},
    },
    store::{StoreError, sql::params},
};

/// A check as it is called now, and how many users failed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckHistory {
    /// Its id.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Its severity now.
    pub severity: Severity,
    /// How many users failed it, at which moments.
    pub curve: Curve,
}

impl Reader {
    /// When the exporter learnt of what stands first in the log; nothing when it is empty.
    ///
    /// What was recorded while the clock ran ahead does not count: else the log would begin in the
    /// future. What was recorded while it ran behind does not either, unless it stands first: the log
    /// does not reach back to that.
    ///
    /// # Errors
    /// When the database fails.
    pub fn log_begins_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        self.sql().each(
            "SELECT first, coalesce(
                (SELECT min(n.first) FROM event_hour AS n WHERE n.first > h.first),
                9223372036854775807)
             FROM event_hour AS h
             ORDER BY hour > (SELECT event_hour FROM head), first LIMIT 16",
            &[],
            |row| {
                runs.push((row.get(0)?, row.get(1)?));
                Ok(())
            },
        )?;
        // Retention leaves few hours without events, and for a short time.
        for (first, next) in runs {
            let sql = "SELECT observed_at FROM event WHERE seq >= ?1 AND seq < ?2
                       ORDER BY seq LIMIT 1";
            let begin = self.sql().optional(sql, params![first, next], |row| row.get(0))?;
            if begin.is_some() {
                return Ok(begin);
            }
        }
        Ok(None)
    }

    /// The curves of the checks that are shown, in the order in which they came, the first
    /// `limit` of them, in a transaction of its own. Who was forgotten is in none.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failing_history(
        &self,
        grid: Grid,
        limit: usize,
    ) -> Result<Vec<CheckHistory>, StoreError> {
        self.read_at_once(|reader| reader.walk_back(grid, limit))
    }

    fn walk_back(&self, grid: Grid, limit: usize) -> Result<Vec<CheckHistory>, StoreError> {
        // Two hashes of 64 bits with keys of their own: no two people share one.
        let keys = [RandomState::new(), RandomState::new()];
        let number = |login: &str| {
            let [high, low] = keys.each_ref().map(|key| u128::from(key.hash_one(login)));
            high << 64 | low
        };
        let mut checks = Vec::new();
        let (mut by_number, mut by_id) = (HashMap::<i64, usize>::new(), HashMap::new());
        self.sql().each(
            "SELECT number, id, title, severity FROM checks WHERE is_hidden = 0
             ORDER BY number LIMIT ?1",
            params![limit],
            |row| {
                let (id, title): (String, String) = (row.get(1)?, row.get(2)?);
                by_number.insert(row.get(0)?, checks.len());
                by_id.insert(id.clone(), checks.len());
                checks.push((id, title, Severity::new(row.get(3)?)));
                Ok(())
            },
        )?;

        let mut curves = Curves::new(grid, checks.len());
        self.sql().each("SELECT check_number, login, opened_at FROM failure", &[], |row| {
            if let Some(check) = by_number.get(&row.get(0)?) {
                curves.record_open(*check, number(row.text(1)?), row.get(2)?);
            }
            Ok(())
        })?;

        // One that was found by the first look at a user, and is told as new later, was open
        // before it was told. The plus keeps SQLite at the order of the log, which it has.
        let sql = "SELECT check_id, login, name, observed_at, name = ?2 AND login IS NOT NULL AND (
                SELECT p.name FROM event AS p
                WHERE p.login = e.login AND p.check_id = e.check_id AND p.seq < e.seq
                AND p.name IN (?2, ?3, ?4) ORDER BY p.seq DESC LIMIT 1)
                IS NOT DISTINCT FROM ?3
             FROM event AS e
             WHERE check_id IS NOT NULL AND +observed_at >= ?1 ORDER BY seq DESC";
        let [failed, baseline, resolved, identified] = [
            EventName::CheckFailed,
            EventName::CheckBaseline,
            EventName::CheckResolved,
            EventName::CheckIdentified,
        ]
        .map(EventName::as_str);
        let first = Timestamp::from_timestamp(grid.second(0), 0).unwrap_or_default();
        self.sql().each(sql, params![first, failed, baseline, resolved], |row| {
            let text = |column| row.get::<Option<&str>>(column);
            let Some(check) = text(0)?.and_then(|id| by_id.get(id)) else { return Ok(()) };
            let was_open: bool = row.get(4)?;
            let step = match (text(2)?.unwrap_or_default(), text(1)?) {
                (name, Some(login)) if name == baseline || (name == failed && !was_open) => {
                    PastStep::Opened(number(login))
                }
                (name, Some(login)) if name == resolved => PastStep::Resolved(number(login)),
                (name, _) if name == identified => PastStep::Merged,
                _ => PastStep::Named,
            };
            curves.walk_back(*check, step, row.get(3)?);
            Ok(())
        })?;
        let histories = checks.into_iter().zip(curves.finish());
        Ok(histories
            .map(|((id, title, severity), curve)| CheckHistory { id, title, severity, curve })
            .collect())
    }
}
