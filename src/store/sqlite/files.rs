//! Removes the bytes of removed rows from the files.

use rusqlite::Connection;

use crate::store::{
    StoreError,
    engine::{Erased, Place},
};

/// Up to this size the database is rewritten in memory, and above it in a temporary file.
const IN_MEMORY: i64 = 64 * 1024 * 1024;

/// Rewrites the database, so that freed pages and parts of pages are removed.
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

/// Empties the log. A reader can prevent that: the step must be repeated then.
pub(super) fn empty_log(connection: &Connection) -> Result<Erased, StoreError> {
    let is_busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(Erased { next: is_busy.then_some(Place::Log), ..Erased::default() })
}
