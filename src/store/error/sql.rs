//! Errors of the database engines.

use std::sync::Arc;

/// An engine's error, with its own message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.text)]
pub struct SqlError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: SqlErrorKind,
    text: String,
}

/// What an engine's error means for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlErrorKind {
    /// The disk is full.
    DiskFull,
    /// The disk fails, or the database cannot be opened.
    Io,
    /// Another process or transaction holds a lock.
    Locked,
    /// The database is damaged.
    Corrupt,
    /// The file is not a database.
    NotADatabase,
    /// The database is read-only.
    ReadOnly,
    /// A column of a row has an unexpected type.
    UnreadableRow,
    /// The data cannot be stored.
    Data,
    /// The server cannot be reached, stops, starts, or takes too long.
    Unreachable,
    /// The server rejects the user, or the user's access to this object.
    Denied,
    /// Two transactions conflicted; a retry may succeed.
    Conflict,
    /// Anything else.
    Other,
}

impl SqlError {
    /// An error with an engine's message.
    pub(in crate::store) fn new(kind: SqlErrorKind, text: &(impl ToString + ?Sized)) -> Self {
        Self(Arc::new(Inner { kind, text: text.to_string() }))
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> SqlErrorKind {
        self.0.kind
    }
}
