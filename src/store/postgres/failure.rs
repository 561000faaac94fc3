//! Converts errors of the server and of its connections.

use std::error::Error as _;

use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::{SqlError, SqlErrorKind, StoreError};

/// An error without values of rows: the detail that the server adds can be about a person.
pub(super) fn of(error: &tokio_postgres::Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        if error.is_closed() {
            return SqlError::new(SqlErrorKind::Unreachable, "the server closed the connection")
                .into();
        }
        // The library's text names the operation; the cause is only in the source.
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        let kind = if cause.contains("out of range") {
            SqlErrorKind::Data
        } else {
            SqlErrorKind::Unreachable
        };
        return SqlError::new(kind, &format!("{error}{cause}")).into();
    };
    let code = said.code();
    SqlError::new(kind(code), &format!("{} (SQLSTATE {})", said.message(), code.code())).into()
}

/// Whether the server closes the connection with this error. `PgBouncer` uses its own text, and
/// omits the field that does not depend on the language.
pub(super) fn is_fatal(said: &DbError) -> bool {
    match said.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        None => said.severity() == "FATAL",
    }
}

/// The meaning of a code of the server for the operator. The codes are those of "Appendix A.
/// PostgreSQL Error Codes".
fn kind(code: &SqlState) -> SqlErrorKind {
    match *code {
        SqlState::DISK_FULL => SqlErrorKind::DiskFull,
        SqlState::IO_ERROR => SqlErrorKind::Io,
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => SqlErrorKind::Corrupt,
        SqlState::READ_ONLY_SQL_TRANSACTION => SqlErrorKind::ReadOnly,
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => {
            SqlErrorKind::Conflict
        }
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => SqlErrorKind::Locked,
        SqlState::INSUFFICIENT_PRIVILEGE => SqlErrorKind::Denied,
        SqlState::PROGRAM_LIMIT_EXCEEDED | SqlState::TOO_MANY_ARGUMENTS => SqlErrorKind::Data,
        _ => match code.code().get(..2) {
            // Data exceptions, and violated constraints.
            Some("22" | "23") => SqlErrorKind::Data,
            // Connections, and servers that stop, start, or have no free connection.
            Some("08" | "53" | "57") => SqlErrorKind::Unreachable,
            // Invalid credentials, or an unknown database.
            Some("28" | "3D") => SqlErrorKind::Denied,
            _ => SqlErrorKind::Other,
        },
    }
}

/// The thread for connections cannot be started.
pub(super) fn no_thread(error: &std::io::Error) -> StoreError {
    SqlError::new(SqlErrorKind::Io, &format!("no thread can be started for connections: {error}"))
        .into()
}

/// The row that every group locks is missing.
pub(super) fn no_head() -> StoreError {
    SqlError::new(SqlErrorKind::Other, "the table head has no row; the schema is damaged").into()
}

/// The version of the schema cannot be read.
pub(super) fn no_version() -> StoreError {
    SqlError::new(SqlErrorKind::Other, "the schema's version is no number; the schema is damaged")
        .into()
}

/// The server exceeded a limit.
pub(super) fn too_slow(what: &str) -> StoreError {
    SqlError::new(
        SqlErrorKind::Unreachable,
        &format!("the server did not answer in time ({what}), and the connection is given up"),
    )
    .into()
}

/// The connection was closed before.
pub(super) fn connection_abandoned() -> StoreError {
    SqlError::new(SqlErrorKind::Unreachable, "the connection to the server was lost").into()
}

/// The outcome of a commit is unknown.
pub(super) fn unknown_outcome() -> StoreError {
    SqlError::new(
        SqlErrorKind::Unreachable,
        "it is not known whether a commit is durable, so nothing is acknowledged: the connection \
         was lost meanwhile, or the wait for the standby was ended",
    )
    .into()
}
