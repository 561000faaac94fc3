//! Errors of moving a database.

use std::path::PathBuf;

use super::MovedTable;
use crate::store::StoreError;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The database that is read.
    From,
    /// The database that is written.
    To,
}

/// Why a database was not moved. Nothing of the copy is kept then.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// Both databases are files.
    #[error("both are files; `cii-exporter db backup FILE` copies a file")]
    Files,
    /// The file to read does not exist.
    #[error("there is no file {} to copy from", .0.display())]
    NoFile(PathBuf),
    /// A daemon has the file open.
    #[error(
        "a daemon has {} open, and what it commits meanwhile would be lost: stop it, and start it \
         on the new place afterwards",
        .0.display()
    )]
    InUse(PathBuf),
    /// Replicas run on the server that is read.
    #[error(
        "{place} is in use by the replica {holder:?}, and what it commits meanwhile is not in the \
         copy: stop all replicas (the last one's end is seen after 10 seconds, where it was killed), \
         or copy for a trial with --while-running"
    )]
    Replicas {
        /// The server and its database.
        place: String,
        /// The name of the leader.
        holder: String,
    },
    /// Replicas run on the server that is written.
    #[error(
        "{place} is in use by the replica {holder:?}; stop all replicas, and name an empty database \
         or schema"
    )]
    TargetInUse {
        /// The server and its database.
        place: String,
        /// The name of the leader.
        holder: String,
    },
    /// The target has data.
    #[error(
        "{place} has data already (in the table {table}), and a copy replaces nothing: name another \
         database or schema, or drop that schema with all that is in it (DROP SCHEMA {schema} \
         CASCADE; CREATE SCHEMA {schema})"
    )]
    NotEmpty {
        /// The server and its database.
        place: String,
        /// The first table with rows.
        table: &'static str,
        /// The schema of the tables, in quotes.
        schema: String,
    },
    /// The user may not create or fill the tables.
    #[error("the user of {place} lacks a right: {right}")]
    Right {
        /// The server and its database.
        place: String,
        /// The SQL statements that grant it.
        right: String,
    },
    /// The server rejects writes.
    #[error(
        "{0} takes no writes: it is a standby, or default_transaction_read_only is on; name the \
         primary"
    )]
    ReadOnly(String),
    /// A database cannot be opened.
    #[error("{source}")]
    Open {
        /// Which of the two.
        side: Side,
        /// Why.
        source: StoreError,
    },
    /// Reading or writing was interrupted.
    #[error("{place} fails, and nothing of the copy is kept: {source}")]
    Broken {
        /// The database that failed.
        place: String,
        /// Why.
        source: StoreError,
    },
    /// The connection was lost during the commit, and its outcome could not be found out.
    #[error(
        "the connection to {place} was lost during the commit, and it could not be found out whether \
         the copy is there: run the command again once the server answers; it copies, or it is refused \
         because {place} has data, and then the first copy is there, whole"
    )]
    Unknown {
        /// The server and its database.
        place: String,
    },
    /// The rows that were written differ from those that were read.
    #[error(
        "what {place} has is not what was copied, and nothing of it is kept; see what changes rows \
         there, such as triggers"
    )]
    Differs {
        /// The database whose rows differ.
        place: String,
        /// All tables.
        tables: Vec<MovedTable>,
    },
}
