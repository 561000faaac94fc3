//! Durations of failures: open ones that are too old, and ended ones.

use chrono::TimeDelta;

use super::Reader;
use crate::{
    domain::{Timestamp, failure::NO_LONGER_FAILING},
    store::{StoreError, shared::IS_MERGED, sql::params},
};

/// The result of a count that may stop early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The exact number.
    Exactly(u64),
    /// A lower bound: counting stopped there.
    MoreThan(u64),
}

/// Durations of failures that ended in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedDurations {
    /// The number of failures with a known duration.
    pub count: u64,
    /// The median: half of them ended sooner.
    pub median: TimeDelta,
}

impl Reader {
    /// The number of a check's open failures that began before a moment, as far as is known. No
    /// more than `most` rows on either side of the moment are read.
    ///
    /// # Errors
    /// When the database fails.
    pub fn failures_before_at_most(
        &self,
        id: &str,
        moment: Timestamp,
        open: u64,
        most: u64,
    ) -> Result<Counted, StoreError> {
        // Uses the index failure_by_age. Where most failures are old, the few later ones are
        // counted.
        let count = |condition: &str| {
            self.sql().count(
                &format!(
                    "SELECT count(*) FROM (SELECT 1 FROM failure
                     WHERE check_number = (SELECT number FROM checks WHERE id = ?1)
                     AND opened_at {condition} ?2 LIMIT ?3) AS counted"
                ),
                params![id, moment, most.saturating_add(1)],
            )
        };
        let younger = count(">=")?;
        if younger <= most {
            return Ok(Counted::Exactly(open.saturating_sub(younger)));
        }
        let older = count("<")?;
        Ok(if older <= most { Counted::Exactly(older) } else { Counted::MoreThan(most) })
    }

    /// Whether ended failures are left to move to the check that theirs was merged with.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_ended_to_move(&self) -> Result<bool, StoreError> {
        self.sql().exists(&format!("SELECT 1 FROM meta WHERE {IS_MERGED}"), &[])
    }

    /// Durations of failures that ended since a moment because the user no longer failed, and whose
    /// beginning is known: of one check, or of all visible ones. Of more than `most`, the newest
    /// are used. `None` where none ended.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ended_durations(
        &self,
        check_id: Option<&str>,
        since: Timestamp,
        most: usize,
    ) -> Result<Option<EndedDurations>, StoreError> {
        let of = match check_id {
            Some(_) => "check_number = (SELECT number FROM checks WHERE id = ?1)",
            None => {
                "CAST(?1 AS TEXT) IS NULL AND EXISTS (SELECT 1 FROM checks WHERE number = check_number
                 AND is_hidden = 0)"
            }
        };
        let sql = format!(
            "SELECT closed_at - opened_at FROM failure_closed
             WHERE {of} AND closed_at >= ?2 AND reason = ?3 AND is_dated = 1
             ORDER BY closed_at DESC LIMIT ?4"
        );
        let params = params![check_id, since, NO_LONGER_FAILING, most];
        let mut lengths: Vec<i64> = self.sql().all(&sql, params, |row| row.get(0))?;
        lengths.sort_unstable();
        let middle = (lengths.len() / 2, lengths.len().saturating_sub(1) / 2);
        let (Some(high), Some(low)) = (lengths.get(middle.0), lengths.get(middle.1)) else {
            return Ok(None);
        };
        // A clock that went back must not give a negative duration.
        let median = TimeDelta::microseconds(i64::midpoint(*low, *high).max(0));
        Ok(Some(EndedDurations { count: lengths.len() as u64, median }))
    }
}
