//! Copies of the database: made while a daemon runs, and restored when none does.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Reader, StoreError, place, sqlite};

/// A copy is readable by its owner only, like the database.
const MODE: u32 = 0o600;

/// Maximum number of former databases that are kept beside the current one.
const KEPT: u32 = 1000;

/// Copies the database as it is at one moment; a daemon may run meanwhile. Returns the number of
/// bytes.
///
/// # Errors
/// When the copy exists already, or cannot be made; a partial copy is removed.
pub fn back_up(database: &Path, copy: &Path) -> Result<u64, StoreError> {
    if copy.symlink_metadata().is_ok() {
        return Err(StoreError::Exists(copy.to_owned()));
    }
    place::check_folder_of_copy(copy)?;
    // The copy gets its name only when it is complete: a partial one must not look usable.
    let partial = path_beside(copy, ".partial");
    let reader = Reader::open_existing(database)?;
    let made = make(&reader, &partial, |_| ()).and_then(|bytes| {
        put_in_place(&partial, copy)?;
        Ok(bytes)
    });
    let _ = fs::remove_file(&partial);
    made
}

/// Replaces the database with a copy; returns the path of the former one, if there was one.
///
/// # Errors
/// When a daemon has the database open, or the copy cannot be used; then nothing has changed.
pub fn restore(copy: &Path, database: &Path) -> Result<Option<PathBuf>, StoreError> {
    place::check_folder(database)?;
    let _lock = sqlite::lock(database)?;
    let reader = Reader::open_older(copy)?;
    if let Some(problem) = sqlite::find_damage(reader.sql())?.into_iter().next() {
        return Err(StoreError::Damaged { path: copy.to_owned(), problem });
    }
    let ready = path_beside(database, ".restoring");
    remove_if_there(&ready)?;
    make(&reader, &ready, |file| sqlite::give_to_owner_of_folder(file, database))?;
    let former = if database.exists() {
        let former = (0..KEPT)
            .map(|number| match number {
                0 => path_beside(database, ".before-restore"),
                _ => path_beside(database, &format!(".before-restore.{number}")),
            })
            .find(|former| !former.exists())
            .ok_or_else(|| io_error(database)(io::ErrorKind::AlreadyExists.into()))?;
        // The write-ahead log belongs to the file beside it, so it moves with the former database.
        fs::rename(database, &former).map_err(io_error(database))?;
        let log = path_beside(database, "-wal");
        if log.exists() {
            fs::rename(&log, path_beside(&former, "-wal")).map_err(io_error(&log))?;
        }
        Some(former)
    } else {
        None
    };
    for file in ["-wal", "-shm"] {
        remove_if_there(&path_beside(database, file))?;
    }
    fs::rename(&ready, database).map_err(io_error(database))?;
    sync_folder(database)?;
    Ok(former)
}

/// Writes a copy with access for the owner only, and syncs it. `give` may change the owner of the
/// new file.
fn make(reader: &Reader, copy: &Path, give: impl FnOnce(&File)) -> Result<u64, StoreError> {
    let made = (|| {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(MODE).open(copy);
        let file = file.map_err(io_error(copy))?;
        give(&file);
        sqlite::copy(reader.sql(), copy)?;
        file.sync_all().map_err(io_error(copy))?;
        Ok(file.metadata().map_err(io_error(copy))?.len())
    })();
    if made.is_err() {
        let _ = fs::remove_file(copy);
    }
    made
}

pub(super) fn path_beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

pub(super) fn remove_if_there(file: &Path) -> Result<(), StoreError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(file)(error)),
        _ => Ok(()),
    }
}

/// Gives a complete file its name, unless a file has that name. When the folder cannot be synced,
/// the name is removed again: what is reported as failed must not be found later.
pub(super) fn put_in_place(partial: &Path, path: &Path) -> Result<(), StoreError> {
    // Unlike a rename, a link fails when another file got the name meanwhile.
    fs::hard_link(partial, path).map_err(io_error(path))?;
    sync_folder(path).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

/// Syncs the folder of a file, without which the file's name is not durable.
pub(super) fn sync_folder(file: &Path) -> Result<(), StoreError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))
}

pub(super) fn io_error(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) }
}
