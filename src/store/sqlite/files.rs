//! The files without what rows left behind in them.

use rusqlite::Connection;

use crate::store::{
    StoreError,
    engine::{Erased, Place},
};

/// To this size, the database is written anew in memory, and else in a temporary file.
const IN_MEMORY: i64 = 64 * 1024 * 1024;

/// Writes the database anew, so that pages and parts of pages that were freed go.
pub(super) fn rewrite(connection: &Connection) -> Result<Erased, StoreError> {
    connection.flush_prepared_statement_cache();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let is_large = pages.saturating_mul(size) > IN_MEMORY;
    if is_large {
        connection.pragma_update(None, "temp_store", "FILE")?;
    }
    let vacuumed = connection.execute_batch("VACUUM");
    if is_large {
        connection.pragma_update(None, "temp_store", "MEMORY")?;
    }
    vacuumed?;
    Ok(Erased { next: Some(Place::Log), ..Erased::default() })
}

/// Empties the log. Somebody who reads meanwhile keeps it from being emptied: the step is
/// then to be done again.
pub(super) fn empty_log(connection: &Connection) -> Result<Erased, StoreError> {
    let is_busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(Erased { next: is_busy.then_some(Place::Log), ..Erased::default() })
}
