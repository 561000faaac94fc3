//! What can go wrong with the store.

use std::{path::PathBuf, sync::Arc};

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database.
    #[error(
        "{} is in use by another cii-exporter; stop that one, or set store.path to another file",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file cannot be made or opened.
    #[error("cannot open {}: {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// A newer exporter wrote the database.
    #[error(
        "the database has version {found}, and this exporter knows versions up to {known}; \
         run the newer exporter that wrote it, or restore a copy from before the upgrade"
    )]
    TooNew {
        /// The database's version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// An older exporter wrote the database, and nobody upgraded it.
    #[error("an older exporter wrote the database; `cii-exporter run` upgrades it")]
    TooOld,
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// SQLite rolled a transaction back by itself.
    #[error("the database gave a transaction up; is the disk full?")]
    GivenUp,
    /// A row cannot be understood.
    #[error("the database holds a {0} that cannot be understood")]
    Corrupt(&'static str),
    /// More writes wait than may.
    #[error("too many writes are waiting")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
