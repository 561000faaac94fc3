//! How long failures last: those that are open for too long, and those that ended.

use chrono::TimeDelta;

use super::Reader;
use crate::{
    domain::{Timestamp, failure::NO_LONGER_FAILING},
    store::{StoreError, shared::IS_MERGED, sql::params},
};

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// So many.
    Exactly(u64),
    /// More than so many: they were not counted to the end.
    MoreThan(u64),
}

/// How long failures lasted that ended in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedDurations {
    /// Of how many it is told.
    pub count: u64,
    /// Half of them ended sooner.
    pub median: TimeDelta,
}

impl Reader {
    /// The failures of a check that began before a moment, as far as is known, of all that are
    /// open. No more than `most` rows of either side are looked at.
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
        // By the index failure_by_age. Where most are old, the few young ones are counted.
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

    /// Whether failures that ended are still to become those of a check that theirs was merged
    /// with.
    ///
    /// # Errors
    /// When the database fails.
    pub fn has_ended_to_move(&self) -> Result<bool, StoreError> {
        self.sql().exists(&format!("SELECT 1 FROM meta WHERE {IS_MERGED}"), &[])
    }

    /// How long failures lasted that ended since a moment, because the user no longer failed
    /// and where it is told when they began: of one check, or of all that are shown. Of more
    /// than `most` the newest are taken. `None` where none ended.
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
        // A clock that went back makes none negative.
        let median = TimeDelta::microseconds(i64::midpoint(*low, *high).max(0));
        Ok(Some(EndedDurations { count: lengths.len() as u64, median }))
    }
}
