//! Why a database was not moved.

use std::path::PathBuf;

use super::MovedTable;
use crate::store::StoreError;

/// One of the two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where the rows are.
    From,
    /// Where they are to be.
    To,
}

/// Why nothing was copied. Nothing of it is kept then.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// From a file to a file.
    #[error("both are files; `cii-exporter db backup FILE` copies a file")]
    Files,
    /// There is no file to read.
    #[error("there is no file {} to copy from", .0.display())]
    NoFile(PathBuf),
    /// A daemon has the file open.
    #[error(
        "a daemon has {} open, and what it commits meanwhile would be lost: stop it, and start it \
         on the new place afterwards",
        .0.display()
    )]
    InUse(PathBuf),
    /// Replicas run on the server that is to be copied.
    #[error(
        "{place} is in use by the replica {holder:?}, and what it commits meanwhile is not in the \
         copy: stop all replicas (the last one's end is seen after 10 seconds, where it was killed), \
         or copy for a trial with --while-running"
    )]
    Replicas {
        /// The server and its database.
        place: String,
        /// The name of the replica that acts.
        holder: String,
    },
    /// Replicas run on the server that is to be filled.
    #[error(
        "{place} is in use by the replica {holder:?}; stop all replicas, and name an empty database \
         or schema"
    )]
    TargetInUse {
        /// The server and its database.
        place: String,
        /// The name of the replica that acts.
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
    /// The user may not make or fill the tables.
    #[error("the user of {place} lacks a right: {right}")]
    Right {
        /// The server and its database.
        place: String,
        /// What allows it, as statements of SQL.
        right: String,
    },
    /// The server takes no writes.
    #[error(
        "{0} takes no writes: it is a standby, or default_transaction_read_only is on; name the \
         primary"
    )]
    ReadOnly(String),
    /// A place cannot be opened.
    #[error("{source}")]
    Open {
        /// Which one.
        side: Side,
        /// Why.
        source: StoreError,
    },
    /// Reading or writing broke off.
    #[error("{place} fails, and nothing of the copy is kept: {source}")]
    Broken {
        /// The place that failed.
        place: String,
        /// Why.
        source: StoreError,
    },
    /// The connection was lost when all was written, and what became of the commit could not be looked
    /// up.
    #[error(
        "the connection to {place} was lost during the commit, and it could not be found out whether \
         the copy is there: run the command again once the server answers; it copies, or it is refused \
         because {place} has data, and then the first copy is there, whole"
    )]
    Unknown {
        /// The server and its database.
        place: String,
    },
    /// What was written is not what was read.
    #[error(
        "what {place} has is not what was copied, and nothing of it is kept; see what changes rows \
         there, such as triggers"
    )]
    Differs {
        /// The place with other rows.
        place: String,
        /// All tables.
        tables: Vec<MovedTable>,
    },
}
