//! How many people fail just these checks.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::{
    ledger::CheckSet,
    store::{StoreError, row::check_set},
};

pub(super) fn save(
    connection: &Connection,
    moved: &BTreeMap<CheckSet, i64>,
) -> Result<(), StoreError> {
    let mut add = connection.prepare_cached(
        "INSERT INTO check_set (checks, people) VALUES (?1, ?2)
         ON CONFLICT (checks) DO UPDATE SET people = people + excluded.people",
    )?;
    let mut remove =
        connection.prepare_cached("DELETE FROM check_set WHERE checks = ?1 AND people <= 0")?;
    for (checks, people) in moved {
        let checks = check_set::encode(checks);
        add.execute((&checks, people))?;
        if *people < 0 {
            remove.execute([&checks])?;
        }
    }
    Ok(())
}
