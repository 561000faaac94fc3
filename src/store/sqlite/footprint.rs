//! Detects whether the database's files are still those that were opened.
//!
//! Writes to a file that was deleted, replaced or truncated succeed, but what is committed is lost.
//! Only this process writes to the database, so its files must not change between two transactions,
//! except the database file during a checkpoint.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::store::StoreError;

/// The identity, size and times of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Look {
    /// Reads them; none when the file does not exist.
    fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(Self {
                device: found.dev(),
                inode: found.ino(),
                length: found.len(),
                modified: (found.mtime(), found.mtime_nsec()),
            })),
            // Or its folder was replaced by a file.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// The database file and its log, as the last transaction left them.
#[derive(Debug)]
pub(super) struct Footprint {
    paths: [PathBuf; 2],
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// The database file, and its log.
    files: [Option<Look>; 2],
    /// Whether a checkpoint is writing the database file.
    is_written: bool,
}

impl Footprint {
    /// The footprint of a database that was just opened. Its log may be created by the first
    /// transaction.
    pub(super) fn of(database: &Path) -> Result<Self, StoreError> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let paths = [database.to_owned(), PathBuf::from(log)];
        let footprint = Self { paths, seen: Mutex::default() };
        footprint.record()?;
        Ok(footprint)
    }

    /// Checks that no other process touched the files since the last transaction.
    ///
    /// # Errors
    /// When one did.
    pub(super) fn check_untouched(&self) -> Result<(), StoreError> {
        self.look(&self.lock_seen(), any_difference)?;
        Ok(())
    }

    /// Checks that the files a transaction wrote to are still in place, and records how it left
    /// them.
    ///
    /// # Errors
    /// When a file was removed or replaced meanwhile.
    pub(super) fn record(&self) -> Result<(), StoreError> {
        let mut seen = self.lock_seen();
        seen.files = self.look(&seen, file_difference)?;
        Ok(())
    }

    /// Runs a checkpoint, `work`, beside writes to the log; none when another process touched the
    /// files.
    pub(super) fn run_while_written<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let mut seen = self.lock_seen();
        let before = self.look(&seen, any_difference).ok()?[0];
        (seen.files[0], seen.is_written) = (before, true);
        drop(seen);
        let done = work();
        let mut seen = self.lock_seen();
        seen.is_written = false;
        // For a file that is missing or replaced the old state is kept, so that the next check
        // reports it.
        if let Ok([database, _]) = self.look(&seen, file_difference) {
            seen.files[0] = database;
        }
        Some(done)
    }

    fn lock_seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads both files, and compares each with its recorded state, if there is one.
    fn look(&self, seen: &Seen, difference: Difference) -> Result<[Option<Look>; 2], StoreError> {
        let mut looks = [None; 2];
        // While a checkpoint writes the database file, only its identity is compared.
        let differences = [if seen.is_written { file_difference } else { difference }, difference];
        let known = self.paths.iter().zip(&seen.files).zip(differences);
        for (((path, before), difference), look) in known.zip(&mut looks) {
            *look = Look::at(path).map_err(|error| io_error(path, error))?;
            let what = match (before, &look) {
                (None, _) => None,
                (Some(_), None) => Some("was deleted"),
                (Some(before), Some(now)) => difference(before, now),
            };
            if let Some(what) = what {
                return Err(StoreError::Touched { path: path.clone(), what });
            }
        }
        Ok(looks)
    }
}

/// The difference of a file between two states.
type Difference = fn(&Look, &Look) -> Option<&'static str>;

fn file_difference(before: &Look, now: &Look) -> Option<&'static str> {
    (!before.is_same_file(now)).then_some("was replaced")
}

fn any_difference(before: &Look, now: &Look) -> Option<&'static str> {
    if !before.is_same_file(now) {
        Some("was replaced")
    } else if now.length < before.length {
        Some("was cut")
    } else if now != before {
        Some("was written to by another program")
    } else {
        None
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (database, log) = (folder.path().join("a.db"), folder.path().join("a.db-wal"));
        fs::write(&database, "database").unwrap();
        fs::write(&log, "log").unwrap();
        (folder, database, log)
    }

    #[test]
    fn whatever_is_done_to_either_file_is_seen() {
        type Deed = fn(&Path);
        let deeds: [(Deed, &str); 4] = [
            (|file| fs::remove_file(file).unwrap(), "deleted"),
            (
                |file| {
                    let other = file.with_extension("other");
                    fs::write(&other, "database").unwrap();
                    fs::rename(other, file).unwrap();
                },
                "replaced",
            ),
            (|file| fs::write(file, "").unwrap(), "cut"),
            (|file| fs::write(file, "another database").unwrap(), "written"),
        ];
        for (deed, what) in deeds {
            for is_log in [false, true] {
                let (_folder, database, log) = files();
                let footprint = Footprint::of(&database).unwrap();
                footprint.check_untouched().unwrap();
                deed(if is_log { &log } else { &database });
                let error = footprint.check_untouched().unwrap_err().to_string();
                assert!(error.contains(what), "{error}");
            }
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let database = data.join("a.db");
        fs::write(&database, "database").unwrap();
        let footprint = Footprint::of(&database).unwrap();
        fs::rename(&data, folder.path().join("away")).unwrap();
        fs::write(&data, "").unwrap();
        let error = footprint.check_untouched().unwrap_err().to_string();
        assert!(error.contains("was deleted"), "{error}");
    }

    #[test]
    fn a_transaction_may_write_and_not_into_another_file() {
        let (_folder, database, log) = files();
        let footprint = Footprint::of(&database).unwrap();
        fs::write(&log, "a longer log").unwrap();
        footprint.record().unwrap();
        footprint.check_untouched().unwrap();
        fs::remove_file(&log).unwrap();
        assert!(footprint.record().is_err());
    }

    #[test]
    fn the_database_may_be_written_while_the_log_is_copied_and_not_before() {
        let (_folder, database, log) = files();
        let footprint = Footprint::of(&database).unwrap();
        let written = footprint.run_while_written(|| {
            fs::write(&database, "a longer database").unwrap();
            footprint.check_untouched().unwrap();
            // Writes continue meanwhile, and must not go to another file.
            fs::write(&log, "a longer log").unwrap();
            footprint.record().unwrap();
            fs::remove_file(&log).unwrap();
            assert!(footprint.check_untouched().is_err());
            fs::write(&log, "log").unwrap();
        });
        assert_eq!(written, Some(()));
        fs::write(&database, "another's database").unwrap();
        assert_eq!(footprint.run_while_written(|| ()), None);
    }
}
