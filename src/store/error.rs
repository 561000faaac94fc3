//! What can go wrong with the store.

use std::{path::PathBuf, sync::Arc};

use super::row::Unreadable;
use crate::ledger::Fault;

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
    /// Somebody else did something to the database's files.
    #[error(
        "{} {what} while the exporter ran, so that nothing more is acknowledged: what is \
         committed could be lost. Keep other programs off the database (a copy is made with the \
         exporter stopped), put the right file there, and start again",
        .path.display()
    )]
    Touched {
        /// The file.
        path: PathBuf,
        /// What was done to it.
        what: &'static str,
    },
    /// SQLite rolled a transaction back by itself.
    #[error("the database gave a transaction up; is the disk full?")]
    GivenUp,
    /// A row cannot be understood.
    #[error("the row of {table} with the key {key:?} cannot be understood: {source}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        source: Unreadable,
    },
    /// The database's path cannot be a label of the exporter's own metrics.
    #[error("no metrics can be made for the database: {0}")]
    Meters(Arc<prometheus::Error>),
    /// One change cannot be applied; the others of its group are.
    #[error(transparent)]
    Fault(#[from] Fault),
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

impl StoreError {
    /// A row that cannot be understood.
    pub(super) fn corrupt(
        table: &'static str,
        key: &(impl ToString + ?Sized),
        source: impl Into<Unreadable>,
    ) -> Self {
        Self::Corrupt { table, key: key.to_string(), source: source.into() }
    }

    /// Whether it is about one row, or one change, while the database works: others can
    /// still be read and written.
    #[must_use]
    pub fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Fault(_)) || self.is_unreadable_row() || self.concerns_data()
    }

    /// Whether a stored row cannot be understood, while the database works.
    pub(super) fn is_unreadable_row(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Sqlite(error) => matches!(
                **error,
                rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::FromSqlConversionFailure(..)
            ),
            _ => false,
        }
    }

    /// Whether it is the fault of what was to be stored, and not of the disk.
    pub(super) fn concerns_data(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        match &**error {
            rusqlite::Error::ToSqlConversionFailure(_) | rusqlite::Error::NulError(_) => true,
            error => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::ConstraintViolation
                        | rusqlite::ErrorCode::TypeMismatch
                        | rusqlite::ErrorCode::TooBig
                )
            ),
        }
    }
}

/// What was read; nothing, with a line in the log, of a row that cannot be understood:
/// what is shown of others does not wait for it.
///
/// # Errors
/// When the database fails.
pub fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.is_unreadable_row() => {
            tracing::error!(%error, "a row of the store cannot be read, and is left out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
