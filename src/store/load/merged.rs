//! Loads ended failures of checks that were merged with others.

use crate::{
    ledger::{Facts, NextMoving},
    store::{
        StoreError,
        shared::{IS_MERGED, parse_merged},
        sql::{Connection, params},
    },
};

/// Some of the failures that are still stored under the number of the removed check.
pub(super) fn next(
    connection: &dyn Connection,
    limit: usize,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let sql = format!("SELECT key, value FROM meta WHERE {IS_MERGED} ORDER BY key");
    let merged = connection.all(&sql, &[], |row| Ok(parse_merged(row.text(0)?, row.text(1)?)))?;
    // A row that cannot be decoded does not block the others.
    let Some((from, into)) = merged.into_iter().flatten().next() else {
        facts.moving.load(None);
        return Ok(());
    };
    let rows: Vec<i64> = connection.all(
        "SELECT number FROM failure_closed WHERE check_number = ?1 ORDER BY closed_at LIMIT ?2",
        params![from, limit],
        |row| row.get(0),
    )?;
    let is_last = rows.len() < limit;
    facts.moving.load(Some(NextMoving { from, into, rows, is_last }));
    Ok(())
}
