//! Operations on a whole database: integrity checks and copies.

use std::path::Path;

use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// Maximum number of problems of one kind that are listed.
const NAMED: usize = 20;

/// Problems that SQLite finds in the pages, without reading every row.
pub(in crate::store) fn find_damaged_pages(
    connection: &dyn Connection,
) -> Result<Vec<String>, StoreError> {
    run_check(connection, &format!("PRAGMA quick_check({NAMED})"))
}

/// Problems that SQLite finds.
pub(in crate::store) fn find_damage(
    connection: &dyn Connection,
) -> Result<Vec<String>, StoreError> {
    let mut problems = run_check(connection, &format!("PRAGMA integrity_check({NAMED})"))?;
    if problems.is_empty() {
        let dangling = format!("SELECT \"table\" FROM pragma_foreign_key_check() LIMIT {NAMED}");
        let found = connection.texts(&dangling, &[])?;
        problems.extend(
            found.iter().map(|table| format!("a row of {table} refers to one that is gone")),
        );
    }
    Ok(problems)
}

fn run_check(connection: &dyn Connection, check: &str) -> Result<Vec<String>, StoreError> {
    let lines = connection.texts(check, &[])?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Copies a whole database into an empty file.
pub(in crate::store) fn copy(connection: &dyn Connection, into: &Path) -> Result<(), StoreError> {
    connection.execute("VACUUM INTO ?1", params![into.to_string_lossy().as_ref()])?;
    Ok(())
}
