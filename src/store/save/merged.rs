//! Saves merges of checks: rows that refer to their numbers.

use crate::{
    domain::Timestamp,
    ledger::{CheckNumber, NextMoving},
    store::{
        StoreError,
        shared::{IS_MERGED, MERGED},
        sql::{Connection, params},
    },
};

/// Moves titles, of which there are few. Ended failures can be very many: it is only stored where
/// they go, and later commits move them in slices.
pub(super) fn merge(
    connection: &dyn Connection,
    from: CheckNumber,
    into: CheckNumber,
    at: Timestamp,
) -> Result<(), StoreError> {
    // A title that the other check has, too, is not moved.
    connection.send(
        "UPDATE check_title SET check_number = ?2, until = coalesce(until, ?3)
         WHERE check_number = ?1 AND NOT EXISTS (
            SELECT 1 FROM check_title AS own
            WHERE own.folded = check_title.folded AND own.check_number = ?2
            AND own.since = check_title.since)",
        params![from, into, at],
    )?;
    connection.send("DELETE FROM check_title WHERE check_number = ?1", params![from])?;
    // Failures that were to move to the removed check now move to the other one.
    connection.send(
        &format!("UPDATE meta SET value = ?2 WHERE value = ?1 AND {IS_MERGED}"),
        params![from.to_string(), into.to_string()],
    )?;
    connection.send(
        "INSERT INTO meta (key, value)
         SELECT CAST(?1 AS TEXT), CAST(?2 AS TEXT) WHERE EXISTS (SELECT 1 FROM failure_closed WHERE check_number = ?3)",
        params![key(from), into.to_string(), from],
    )?;
    Ok(())
}

/// Moves ended failures; after the last one, removes the note of where they go.
pub(super) fn move_ended(
    connection: &dyn Connection,
    moving: &NextMoving,
) -> Result<(), StoreError> {
    connection.send(
        "UPDATE failure_closed SET check_number = ?2 WHERE number IN rarray(?1)",
        params![moving.rows[..], moving.into],
    )?;
    if moving.is_last {
        connection.send("DELETE FROM meta WHERE key = ?1", params![key(moving.from)])?;
    }
    Ok(())
}

fn key(from: CheckNumber) -> String {
    format!("{MERGED}{from}")
}
