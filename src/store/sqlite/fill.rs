//! A new file that is filled in one go, and is of no use before it is whole.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use rusqlite::Connection;

use super::{
    connection::{MODE, give_to_owner_of_folder},
    migrations,
};
use crate::store::{StoreError, sql};

/// The cache in KiB, with the minus sign that SQLite wants for it.
const CACHE_KIB: i64 = -64 * 1024;

/// A file that is being filled. Nobody else has it open.
#[derive(Debug)]
pub(in crate::store) struct NewFile(Connection);

impl NewFile {
    /// Makes a file with tables of the newest version, and begins a transaction.
    ///
    /// # Errors
    /// When there is a file already, or it cannot be written.
    pub(in crate::store) fn make(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(MODE).open(path).map_err(failed)?;
        give_to_owner_of_folder(&file, path);
        let mut connection = Connection::open(path)?;
        // A file that is not whole is thrown away: nothing has to be undone, and what it has is
        // synced once, at its end.
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        migrations::migrate(&mut connection)?;
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(Self(connection))
    }

    /// What runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn sql::Connection {
        &self.0
    }

    /// Ends the transaction, and closes the file as a daemon leaves one. Who makes it last syncs
    /// it.
    pub(in crate::store) fn close(self) -> Result<(), StoreError> {
        if self.0.is_autocommit() {
            // SQLite gave the whole transaction up: the disk is full or fails.
            return Err(StoreError::GivenUp);
        }
        self.0.execute_batch("COMMIT")?;
        self.0.pragma_update(None, "journal_mode", "WAL")?;
        self.0.close().map_err(|(_, error)| error.into())
    }
}
