//! Opening the database file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, vtab::array};

use super::migrations;
use crate::store::StoreError;

/// How long SQLite waits for a lock of another process (a backup, a shell). It is shorter than a
/// webhook sender waits, so that the sender gets a 503.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The database is readable by its owner only, because it names people. SQLite gives its own files
/// beside it the same mode.
pub(super) const MODE: u32 = 0o600;

/// The cache of the connection that writes, in KiB, which SQLite expects as a negative number. A
/// larger one does not improve speed, even with a million failures: the operating system caches the
/// file, too.
const CACHE_KIB: i64 = -4 * 1024;

/// A log longer than this is truncated to this size. A log that is truncated and grows again costs
/// more than one that is overwritten, because the file's length must be synced with each commit.
const LOG_BYTES: i64 = 32 * 1024 * 1024;

/// Takes the lock that keeps other exporters from opening the database. It is held as long as the
/// file is open.
pub(in crate::store) fn lock(database: &Path) -> Result<File, StoreError> {
    let file = create(&lock_file(database))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => {
            Err(StoreError::Open { path: database.to_owned(), source: Arc::new(source) })
        }
    }
}

/// The file that the holder locks, and that contains the holder's URL.
pub(in crate::store) fn lock_file(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Opens a file, creating it if it does not exist.
fn create(path: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
    let made = OpenOptions::new().create_new(true).append(true).mode(MODE).open(path);
    match made {
        Ok(file) => {
            give_to_owner_of_folder(&file, path);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().create(true).append(true).mode(MODE).open(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Changes the owner of a file that root created to the owner of the folder. Otherwise a command
/// that root runs beside a daemon with a user of its own would leave files that the daemon cannot
/// open. SQLite does the same with files that it creates.
///
/// It must only be used for a file that was created just now: an existing one may be a link to any
/// other file.
pub(in crate::store) fn give_to_owner_of_folder(made: &File, path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (Ok(folder), Ok(file)) =
        (folder.unwrap_or_else(|| Path::new(".")).metadata(), made.metadata())
    else {
        return;
    };
    if file.uid() == 0 && folder.uid() != 0 {
        // If the file system forbids it, the daemon reports which file it cannot open.
        let _ = fchown(made, Some(folder.uid()), Some(folder.gid()));
    }
}

/// Opens the one connection that writes.
pub(in crate::store) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    create(path)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit is on the disk when it returns: a 2xx promises that.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A statement that sorts, or a group that exceeds the cache, must not wait for the disk. The
    // size of groups bounds the memory.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    // Truncates the log after a large group.
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    array::load_module(&connection)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Opens a connection that is only used for checkpoints.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // The log is synced before the database is written, and the database before the log is
    // restarted.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(in crate::store) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    array::load_module(&connection)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Opens a database of this exporter for reading, with any version of the schema.
pub(in crate::store) fn open_ours(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_reader(path)?;
    let version = migrations::version(&connection)?;
    if migrations::is_foreign(&connection, version)? {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    if version == 0 {
        return Err(StoreError::Empty(path.to_owned()));
    }
    Ok(connection)
}

/// Makes the planner plan each statement only once. With a partial index it considers bound values,
/// and would plan the statement again for each of them.
fn keep_statements(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
