//! Loads the state of the OTLP delivery: its cursor, and the events that were left out.

use crate::{
    ledger::{EventSlice, Facts, Gap, GapEvents, GapSlice, NextParked, OtlpState},
    store::{
        StoreError,
        shared::{OTLP, count_public_up_to},
        sql::{Connection, params},
    },
};

pub(super) fn state(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let cursor = connection
        .optional("SELECT seq FROM cursor WHERE consumer = ?1", params![OTLP], |row| row.get(0))?
        .unwrap_or(0);
    let was_on = connection.optional("SELECT is_on FROM otlp_start", &[], |row| row.get(0))?;
    let gaps = connection.all("SELECT first_seq, last_seq FROM otlp_gap", &[], |row| {
        Ok(Gap { first: row.get(0)?, last: row.get(1)? })
    })?;
    let gaps = gaps.into_iter().collect();
    let public_up_to_cursor = count_public_up_to(connection, cursor)?;
    facts.otlp.load((), Some(OtlpState { cursor, public_up_to_cursor, was_on, gaps }));
    Ok(())
}

/// Loads the next parked events.
pub(super) fn parked_events(
    connection: &dyn Connection,
    slice: &EventSlice,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let events: Vec<i64> = connection.all(
        "SELECT seq FROM parked_event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        params![slice.after, slice.limit],
        |row| row.get(0),
    )?;
    let is_last = events.len() < slice.limit;
    facts.parked.load(NextParked { events, is_last });
    Ok(())
}

/// Loads the next numbers in the gaps, if there are events with them. It takes one gap at a time,
/// because everything between two gaps was delivered.
pub(super) fn gap_events(
    connection: &dyn Connection,
    slice: &GapSlice,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let EventSlice { after, limit } = slice.events;
    let Some((begin, end)) = next_gap(connection, after)? else {
        facts.gap_events.load(None);
        return Ok(());
    };
    let last = end.min(begin.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX).max(1) - 1));
    let first = match slice.since {
        None => Some(begin),
        Some(since) => connection.one(
            "SELECT min(seq) FROM event
             WHERE seq BETWEEN ?1 AND ?2 AND public = 1 AND observed_at >= ?3",
            params![begin, last, since],
            |row| row.get(0),
        )?,
    };
    let public = match first {
        Some(first) => connection.count(
            "SELECT count(*) FROM event WHERE seq BETWEEN ?1 AND ?2 AND public = 1",
            params![first, last],
        )?,
        None => 0,
    };
    facts.gap_events.load(Some(GapEvents { first, last, public }));
    Ok(())
}

/// The first event of a gap with a number above this one, and the last number of its gap.
fn next_gap(connection: &dyn Connection, after: i64) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT first_seq, last_seq FROM otlp_gap WHERE last_seq > ?1 ORDER BY first_seq";
    let gaps = connection.all(sql, params![after], |row| Ok((row.get::<i64>(0)?, row.get(1)?)))?;
    for (first, last) in gaps {
        // All events of a gap may have been removed as too old.
        let begin: Option<i64> = connection.optional(
            "SELECT seq FROM event WHERE seq >= ?1 ORDER BY seq LIMIT 1",
            params![first.max(after.saturating_add(1))],
            |row| row.get(0),
        )?;
        if let Some(begin) = begin.filter(|begin| *begin <= last) {
            return Ok(Some((begin, last)));
        }
    }
    Ok(None)
}
