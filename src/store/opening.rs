//! Opens the configured store, with whichever engine it has.

use std::path::PathBuf;

use super::{Reader, Server, Store, StoreError, WriterThread, sqlite};
use crate::config::StorePlace;

impl Store {
    /// Opens the database, creating or upgrading it first, and starts the writer thread.
    ///
    /// # Errors
    /// When a file is in use, the database cannot be opened or reached, or it is newer than this
    /// exporter.
    pub fn open_at(place: &StorePlace) -> Result<(Self, WriterThread), StoreError> {
        match place {
            StorePlace::File(path) => Self::open(path),
            StorePlace::Server(server) => Self::connect(Server::new(server)),
        }
    }

    /// Opens the database like [`open_at`](Self::open_at), but never upgrades it: only the daemon
    /// does, with a log line.
    ///
    /// # Errors
    /// As for [`open_at`](Self::open_at), and when the database has another version than this
    /// exporter's.
    pub fn open_current_at(place: &StorePlace) -> Result<(Self, WriterThread), StoreError> {
        match place {
            StorePlace::File(path) => Self::open_current(path),
            StorePlace::Server(server) => Self::connect_current(Server::new(server)),
        }
    }
}

impl Reader {
    /// Opens a database for reading; other processes may have it open.
    ///
    /// # Errors
    /// When there is no database, or it has another version than this exporter's; the error says
    /// what to do.
    pub fn open_at(place: &StorePlace) -> Result<Self, StoreError> {
        match place {
            StorePlace::File(path) => Self::open_existing(path),
            StorePlace::Server(server) => Self::connect(Server::new(server)),
        }
    }
}

impl StoreError {
    /// The same error with the file and a remedy, for the operator who starts the exporter or a
    /// command.
    #[must_use]
    pub fn with_place(self, place: &StorePlace) -> Self {
        match place {
            StorePlace::File(path) => self.with_remedy(path),
            // An error of a server names the server where that matters.
            StorePlace::Server(_) => self,
        }
    }
}

/// The path of the socket on which the daemon with this file takes commands; none with a server,
/// where commands connect to the database like daemons.
#[must_use]
pub fn socket_path(place: &StorePlace) -> Option<PathBuf> {
    let StorePlace::File(database) = place else { return None };
    let mut name = database.as_os_str().to_owned();
    name.push(".sock");
    Some(PathBuf::from(name))
}

/// The URL at which the daemon with this file takes commands, read from its lock file: an HTTP URL,
/// or `unix:` and the path of a socket.
#[must_use]
pub fn holder_url(place: &StorePlace) -> Option<String> {
    let StorePlace::File(database) = place else { return None };
    let word = std::fs::read_to_string(sqlite::lock_file(database)).ok()?;
    (!word.is_empty()).then_some(word)
}
