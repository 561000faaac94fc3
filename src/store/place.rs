//! Checks the path of a database before SQLite opens it: SQLite's errors about a folder or an empty
//! file do not help an operator.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::StoreError;

/// Checks that a path can hold a database: it is no folder, and its folder exists.
///
/// # Errors
/// Describes what is there instead, and what to write into `store.path`.
pub(super) fn check_folder(database: &Path) -> Result<(), StoreError> {
    if database.is_dir() {
        return Err(StoreError::Folder(database.to_owned()));
    }
    let absolute = absolute(database);
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        // Opening the file reports every other problem with the path.
        Err(error) if !is_missing(&error) => Ok(()),
        _ => Err(StoreError::NoFolder { path: absolute.clone(), folder: folder.to_owned() }),
    }
}

/// Checks that the folder of a copy exists.
///
/// # Errors
/// Names the folder.
pub(super) fn check_folder_of_copy(copy: &Path) -> Result<(), StoreError> {
    let absolute = absolute(copy);
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    if folder.is_dir() { Ok(()) } else { Err(StoreError::NoFolderOfCopy(folder.to_owned())) }
}

/// Checks that a file exists, can be read and can be a database.
///
/// # Errors
/// Describes what is there instead, and what to do.
pub(super) fn check_file(database: &Path) -> Result<(), StoreError> {
    check_folder(database)?;
    let failed = |source: io::Error| {
        if is_missing(&source) {
            let (path, is_relative) = (absolute(database), database.is_relative());
            return StoreError::Missing { path, is_relative };
        }
        let (path, source) = (database.to_owned(), Arc::new(source));
        if source.kind() == io::ErrorKind::PermissionDenied {
            StoreError::Denied { path, source }
        } else {
            StoreError::Open { path, source }
        }
    };
    let file = File::open(database).map_err(failed)?;
    // The first writes of a daemon that was killed can be in the write-ahead log only, with an
    // empty file.
    if file.metadata().map_err(failed)?.len() == 0 && !has_log(database) {
        return Err(StoreError::Empty(database.to_owned()));
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn has_log(database: &Path) -> bool {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_is_no_file_of_a_database_is_told_apart() {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("empty"), "").unwrap();
        fs::write(path("text"), "text").unwrap();
        assert!(matches!(check_file(folder.path()), Err(StoreError::Folder(_))));
        assert!(matches!(check_file(&path("none/db")), Err(StoreError::NoFolder { .. })));
        assert!(matches!(check_file(&path("text/db")), Err(StoreError::NoFolder { .. })));
        assert!(matches!(check_file(&path("none")), Err(StoreError::Missing { .. })));
        assert!(matches!(check_file(&path("empty")), Err(StoreError::Empty(_))));
        // A database that is to be created needs only its folder.
        check_folder(&path("none")).unwrap();
        check_file(&path("text")).unwrap();
        fs::write(path("empty-wal"), "what was committed first").unwrap();
        check_file(&path("empty")).unwrap();
    }
}
