//! The database that is written: completely, or not at all.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{MoveError, Side, rows};
use crate::{
    config::{ServerConfig, StorePlace},
    store::{
        Server, StoreError, copy, place,
        postgres::{Filling, Tables, Uncommitted, Way},
        sql::Connection,
        sqlite::{self, NewFile},
        tables::TABLES,
    },
};

/// A database that is being filled. Dropping it removes everything that was written.
#[derive(Debug)]
pub(super) enum Target {
    /// A file, which has another name until it is complete.
    File(Unfinished),
    /// A database on a server.
    Server(Box<Filling>, String),
}

/// A file that is not complete yet.
#[derive(Debug)]
pub(super) struct Unfinished {
    file: Option<NewFile>,
    partial: PathBuf,
    path: PathBuf,
    /// Keeps daemons from opening a database with this name.
    _lock: File,
}

impl Target {
    /// Begins to write.
    pub(super) fn open(place: &StorePlace) -> Result<Self, MoveError> {
        match place {
            StorePlace::File(path) => Unfinished::make(path).map(Self::File).map_err(open_error),
            StorePlace::Server(config) => open_server(config, place.to_string()),
        }
    }

    /// The connection that runs statements.
    pub(super) fn sql(&self) -> Result<&dyn Connection, StoreError> {
        match self {
            Self::File(file) => Ok(file.file.as_ref().ok_or(StoreError::Closed)?.sql()),
            Self::Server(filling, _) => Ok(filling.sql()),
        }
    }

    /// Keeps what was written.
    pub(super) fn keep(self) -> Result<(), MoveError> {
        match self {
            Self::File(file) => {
                let place = file.path.display().to_string();
                file.keep().map_err(|source| MoveError::Broken { place, source })
            }
            Self::Server(filling, place) => {
                let broken = |source| MoveError::Broken { place: place.clone(), source };
                filling.finish(&TABLES).map_err(broken)?;
                filling.commit().map_err(|uncommitted| match uncommitted {
                    Uncommitted::Nothing(source) => broken(source),
                    Uncommitted::Unknown => MoveError::Unknown { place: place.clone() },
                })
            }
        }
    }
}

/// Checks first whether the server can be used: later errors would be about single statements.
fn open_server(config: &ServerConfig, place: String) -> Result<Target, MoveError> {
    let server = Server::new(config);
    let found = server.examine().map_err(open_error)?;
    if found.is_read_only {
        return Err(MoveError::ReadOnly(place));
    }
    if found.tables == Tables::Older {
        return Err(open_error(StoreError::TooOld(place.into())));
    }
    if let Some(right) = found.missing_right.or(found.missing_right_to_fill) {
        return Err(MoveError::Right { place, right });
    }
    let filling = Way::new(server).and_then(|way| way.filling()).map_err(open_error)?;
    if let Some(holder) = filling.holder().map_err(open_error)? {
        return Err(MoveError::TargetInUse { place, holder });
    }
    for table in &TABLES {
        if rows::has_others(filling.sql(), table).map_err(open_error)? {
            let schema = format!("\"{}\"", found.schema.replace('"', "\"\""));
            return Err(MoveError::NotEmpty { place, table: table.name(), schema });
        }
    }
    Ok(Target::Server(Box::new(filling), place))
}

fn open_error(source: StoreError) -> MoveError {
    MoveError::Open { side: Side::To, source }
}

impl Unfinished {
    fn make(path: &Path) -> Result<Self, StoreError> {
        place::check_folder(path)?;
        let lock = sqlite::lock(path)?;
        if path.symlink_metadata().is_ok() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        let partial = copy::path_beside(path, ".moving");
        // The lock is held, so such files were left by a command that was killed.
        for file in of_file(&partial) {
            copy::remove_if_there(&file)?;
        }
        // Created before the file, so that dropping it removes the file even when filling fails at
        // once.
        let mut made = Self { file: None, partial, path: path.to_owned(), _lock: lock };
        made.file = Some(NewFile::make(&made.partial)?);
        Ok(made)
    }

    fn keep(mut self) -> Result<(), StoreError> {
        self.file.take().ok_or(StoreError::Closed)?.close()?;
        let synced = File::open(&self.partial).and_then(|file| file.sync_all());
        synced.map_err(copy::io_error(&self.partial))?;
        copy::put_in_place(&self.partial, &self.path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.file = None;
        for file in of_file(&self.partial) {
            // A file that cannot be removed now is removed by the next copy.
            let _ = fs::remove_file(file);
        }
    }
}

/// A file, and the files that SQLite can have left beside it: it would treat them as part of the
/// next one.
fn of_file(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| copy::path_beside(path, ending))
}
