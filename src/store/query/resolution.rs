//! How long failures last: those that are open for too long, and those that ended.

use chrono::TimeDelta;
use rusqlite::params;

use super::Reader;
use crate::{
    domain::{Timestamp, failure::NO_LONGER_FAILING},
    store::{StoreError, row::Moment},
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
pub struct Lasted {
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
            self.count(
                &format!(
                    "SELECT count(*) FROM (SELECT 1 FROM failure
                     WHERE check_number = (SELECT number FROM checks WHERE id = ?1)
                     AND opened_at {condition} ?2 LIMIT ?3)"
                ),
                params![id, Moment(moment), most.saturating_add(1)],
            )
        };
        let younger = count(">=")?;
        if younger <= most {
            return Ok(Counted::Exactly(open.saturating_sub(younger)));
        }
        let older = count("<")?;
        Ok(if older <= most { Counted::Exactly(older) } else { Counted::MoreThan(most) })
    }

    /// How long failures lasted that ended since a moment, because the user no longer failed
    /// and where it is told when they began: of one check, or of all that are shown. Of more
    /// than `most` the newest are taken. `None` where none ended.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lasted(
        &self,
        check_id: Option<&str>,
        since: Timestamp,
        most: usize,
    ) -> Result<Option<Lasted>, StoreError> {
        let of = match check_id {
            Some(_) => "check_number = (SELECT number FROM checks WHERE id = ?1)",
            None => {
                "?1 IS NULL AND EXISTS (SELECT 1 FROM checks WHERE number = check_number
                 AND NOT is_hidden)"
            }
        };
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT closed_at - opened_at FROM failure_closed
             WHERE {of} AND closed_at >= ?2 AND reason = ?3 AND is_dated
             ORDER BY closed_at DESC LIMIT ?4"
        ))?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = select
            .query_map(params![check_id, Moment(since), NO_LONGER_FAILING, limit], |row| {
                row.get::<_, i64>(0)
            })?;
        let mut lengths = rows.collect::<Result<Vec<_>, _>>()?;
        lengths.sort_unstable();
        let middle = (lengths.len() / 2, lengths.len().saturating_sub(1) / 2);
        let (Some(high), Some(low)) = (lengths.get(middle.0), lengths.get(middle.1)) else {
            return Ok(None);
        };
        // A clock that went back makes none negative.
        let median = TimeDelta::microseconds(i64::midpoint(*low, *high).max(0));
        Ok(Some(Lasted { count: lengths.len() as u64, median }))
    }
}
