//! A new file that is filled at once, and cannot be used before it is complete.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use rusqlite::Connection;

use super::{
    connection::{MODE, give_to_owner_of_folder},
    migrations,
};
use crate::store::{StoreError, sql};

/// The cache in KiB, which SQLite expects as a negative number.
const CACHE_KIB: i64 = -64 * 1024;

/// A file that is being filled. No other process has it open.
#[derive(Debug)]
pub(in crate::store) struct NewFile(Connection);

impl NewFile {
    /// Creates a file with the newest schema, and begins a transaction.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub(in crate::store) fn make(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(MODE).open(path).map_err(failed)?;
        give_to_owner_of_folder(&file, path);
        let mut connection = Connection::open(path)?;
        // An incomplete file is deleted, so no rollback is needed, and it is synced once, at the
        // end.
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        migrations::migrate(&mut connection)?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(Self(connection))
    }

    /// The connection that runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn sql::Connection {
        &self.0
    }

    /// Commits, and closes the file in the state in which a daemon leaves one. The caller syncs it.
    pub(in crate::store) fn close(self) -> Result<(), StoreError> {
        if self.0.is_autocommit() {
            // SQLite rolled the whole transaction back: the disk is full or fails.
            return Err(StoreError::GivenUp);
        }
        self.0.execute_batch("COMMIT")?;
        self.0.pragma_update(None, "journal_mode", "WAL")?;
        self.0.close().map_err(|(_, error)| error.into())
    }
}
