//! The delivery by OTLP: how far it has got, and what was left out.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    domain::Timestamp,
    ledger::{Facts, Gap, GapEvents, OtlpState},
    store::{
        StoreError,
        row::Moment,
        sqlite::shared::{OTLP, public_up_to},
    },
};

pub(super) fn state(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let cursor = connection
        .prepare_cached("SELECT seq FROM cursor WHERE consumer = ?1")?
        .query_row([OTLP], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let was_on = connection
        .prepare_cached("SELECT is_on FROM otlp_start")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let mut select = connection.prepare_cached("SELECT first_seq, last_seq FROM otlp_gap")?;
    let gaps = select
        .query_map([], |row| Ok(Gap { first: row.get(0)?, last: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    let public_up_to_cursor = public_up_to(connection, cursor)?;
    facts.otlp.load((), Some(OtlpState { cursor, public_up_to_cursor, was_on, gaps }));
    Ok(())
}

pub(super) fn parked(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    facts.parked = connection
        .prepare_cached("SELECT count(*) FROM parked_event")?
        .query_row([], |row| row.get(0))?;
    Ok(())
}

/// Events of gaps that were observed at a moment or later.
pub(super) fn gap_events(
    connection: &Connection,
    since: Timestamp,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let first: Option<i64> = connection.query_row(
        "SELECT min(event.seq) FROM otlp_gap
         JOIN event ON event.seq BETWEEN first_seq AND last_seq
         WHERE public = 1 AND observed_at >= ?1",
        [Moment(since)],
        |row| row.get(0),
    )?;
    let Some(first) = first else { return Ok(()) };
    let public = connection.query_row(
        "SELECT count(*) FROM otlp_gap
         JOIN event ON event.seq BETWEEN max(first_seq, ?1) AND last_seq
         WHERE public = 1",
        params![first],
        |row| row.get(0),
    )?;
    facts.gap_events = Some(GapEvents { first, public });
    Ok(())
}
