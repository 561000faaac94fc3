//! The store where the configuration has it, whichever engine keeps it there.

use std::path::PathBuf;

use super::{Reader, Server, Store, StoreError, WriterThread, sqlite};
use crate::config::StorePlace;

impl Store {
    /// Opens the database, making or upgrading it first, and starts the thread that writes.
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

    /// The same, but never upgrades a database: that is for the daemon to do, with a line in its
    /// log.
    ///
    /// # Errors
    /// As above, and when the database is of another version than this exporter's.
    pub fn open_current_at(place: &StorePlace) -> Result<(Self, WriterThread), StoreError> {
        match place {
            StorePlace::File(path) => Self::open_current(path),
            StorePlace::Server(server) => Self::connect_current(Server::new(server)),
        }
    }
}

impl Reader {
    /// Looks into a database that other processes may hold.
    ///
    /// # Errors
    /// When there is none, or it is of another version than this exporter's; says which, and what
    /// to do.
    pub fn open_at(place: &StorePlace) -> Result<Self, StoreError> {
        match place {
            StorePlace::File(path) => Self::open_existing(path),
            StorePlace::Server(server) => Self::connect(Server::new(server)),
        }
    }
}

impl StoreError {
    /// The same error with the file, and what to do, for whoever starts the exporter or a command.
    #[must_use]
    pub fn with_place(self, place: &StorePlace) -> Self {
        match place {
            StorePlace::File(path) => self.with_remedy(path),
            // An error of a server names it where that matters.
            StorePlace::Server(_) => self,
        }
    }
}

/// The socket on which the daemon that has a file open takes commands. Where a server keeps the
/// state, commands reach it as the daemons do.
#[must_use]
pub fn socket_path(place: &StorePlace) -> Option<PathBuf> {
    let StorePlace::File(database) = place else { return None };
    let mut name = database.as_os_str().to_owned();
    name.push(".sock");
    Some(PathBuf::from(name))
}

/// Where the daemon that has a file open takes commands, read from its lock file: a URL, or
/// `unix:` and the path of a socket.
#[must_use]
pub fn holder_url(place: &StorePlace) -> Option<String> {
    let StorePlace::File(database) = place else { return None };
    let word = std::fs::read_to_string(sqlite::lock_file(database)).ok()?;
    (!word.is_empty()).then_some(word)
}
