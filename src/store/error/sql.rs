//! What an engine fails with.

use std::sync::Arc;

/// What an engine failed with, in its own words.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.text)]
pub struct SqlError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: SqlErrorKind,
    text: String,
}

/// What an error means to whoever runs the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlErrorKind {
    /// The disk is full.
    DiskFull,
    /// The disk fails, or the database cannot be opened.
    Io,
    /// Somebody else holds a lock.
    Locked,
    /// The database is damaged.
    Corrupt,
    /// The file is no database.
    NotADatabase,
    /// It cannot be written.
    ReadOnly,
    /// A row has another value in a column than is expected there.
    UnreadableRow,
    /// What was to be written cannot be stored.
    Data,
    /// The server cannot be reached, stops, starts, or takes too long.
    Unreachable,
    /// The server lets nobody in by this name, or not to this.
    Denied,
    /// Two transactions stood in each other's way; a further try may succeed.
    Conflict,
    /// Anything else.
    Other,
}

impl SqlError {
    /// An error in an engine's words.
    pub(in crate::store) fn new(kind: SqlErrorKind, text: &(impl ToString + ?Sized)) -> Self {
        Self(Arc::new(Inner { kind, text: text.to_string() }))
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> SqlErrorKind {
        self.0.kind
    }
}
