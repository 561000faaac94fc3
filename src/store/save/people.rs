//! Saves how many people fail exactly these checks.

use std::collections::BTreeMap;

use crate::{
    ledger::CheckSet,
    store::{
        StoreError, columns,
        row::check_set,
        sql::{Bulk, Connection, added, params},
    },
};

static MOVED: Bulk = Bulk::put(columns::CHECK_SET.only(&[added("people")]));

pub(super) fn save(
    connection: &dyn Connection,
    moved: &BTreeMap<CheckSet, i64>,
) -> Result<(), StoreError> {
    connection.write_all(&MOVED, |put| {
        moved
            .iter()
            .try_for_each(|(checks, people)| put(params![check_set::encode(checks), people]))
    })?;
    let fewer = moved.iter().filter(|(_, people)| **people < 0);
    let fewer: Vec<String> = fewer.map(|(checks, _)| check_set::encode(checks)).collect();
    if !fewer.is_empty() {
        let fewer: Vec<&str> = fewer.iter().map(String::as_str).collect();
        connection.send(
            "DELETE FROM check_set WHERE checks IN rarray(?1) AND people <= 0",
            params![fewer[..]],
        )?;
    }
    Ok(())
}
