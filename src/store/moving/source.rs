//! The database that is read, as it is at one moment.

use std::{fs::File, path::Path};

use super::{MoveError, Side};
use crate::{
    config::StorePlace,
    store::{
        Reader, Server, StoreError,
        postgres::{Snapshot, Way},
        sql::Connection,
        sqlite,
    },
};

/// A database that is read as a whole.
#[derive(Debug)]
pub(super) enum Source {
    /// A file, and the lock that keeps daemons off it until the end.
    File(Reader, #[expect(dead_code, reason = "held until the end")] File),
    /// A database on a server.
    Server(Snapshot),
}

impl Source {
    /// Begins to read; also returns the name of the replica that keeps running.
    pub(super) fn open(
        place: &StorePlace,
        while_running: bool,
    ) -> Result<(Self, Option<String>), MoveError> {
        match place {
            StorePlace::File(path) => Ok((Self::open_file(path)?, None)),
            StorePlace::Server(config) => {
                let snapshot = Way::new(Server::new(config)).and_then(|way| way.snapshot());
                let snapshot = snapshot.map_err(open_error)?;
                match snapshot.holder().map_err(open_error)? {
                    Some(holder) if !while_running => {
                        Err(MoveError::Replicas { place: place.to_string(), holder })
                    }
                    holder => Ok((Self::Server(snapshot), holder)),
                }
            }
        }
    }

    fn open_file(path: &Path) -> Result<Self, MoveError> {
        // Taking the lock would create a file beside a path without a database.
        if !path.exists() {
            return Err(MoveError::NoFile(path.to_owned()));
        }
        let lock = sqlite::lock(path).map_err(|error| match error {
            StoreError::InUse(path) => MoveError::InUse(path),
            error => open_error(error),
        })?;
        let reader = Reader::open_existing(path).map_err(open_error)?;
        reader.sql().begin_reading().map_err(open_error)?;
        Ok(Self::File(reader, lock))
    }

    /// The connection that runs statements.
    pub(super) fn sql(&self) -> &dyn Connection {
        match self {
            Self::File(reader, _) => reader.sql(),
            Self::Server(snapshot) => snapshot.sql(),
        }
    }
}

fn open_error(source: StoreError) -> MoveError {
    MoveError::Open { side: Side::From, source }
}
