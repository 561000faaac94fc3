//! The delivery by OTLP: how far it has got, and what was left out.

use crate::{
    domain::Timestamp,
    ledger::{Facts, Gap, GapEvents, OtlpState},
    store::{
        StoreError,
        shared::{OTLP, public_up_to},
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
    let public_up_to_cursor = public_up_to(connection, cursor)?;
    facts.otlp.load((), Some(OtlpState { cursor, public_up_to_cursor, was_on, gaps }));
    Ok(())
}

pub(super) fn parked(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    facts.parked = connection.one("SELECT count(*) FROM parked_event", &[], |row| row.get(0))?;
    Ok(())
}

/// Events of gaps that were observed at a moment or later.
pub(super) fn gap_events(
    connection: &dyn Connection,
    since: Timestamp,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let first: Option<i64> = connection.one(
        "SELECT min(event.seq) FROM otlp_gap
         JOIN event ON event.seq BETWEEN first_seq AND last_seq
         WHERE public = 1 AND observed_at >= ?1",
        params![since],
        |row| row.get(0),
    )?;
    let Some(first) = first else { return Ok(()) };
    let public = connection.one(
        "SELECT count(*) FROM otlp_gap
         JOIN event ON event.seq BETWEEN max(first_seq, ?1) AND last_seq
         WHERE public = 1",
        params![first],
        |row| row.get(0),
    )?;
    facts.gap_events = Some(GapEvents { first, public });
    Ok(())
}
