//! Errors of the store.

mod sql;
mod unreadable;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::ledger::{Fault, row_name};

pub use sql::{SqlError, SqlErrorKind};
pub use unreadable::Unreadable;

/// Why the store could not do what was requested.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the database.
    #[error(
        "{} is in use by another cii-exporter; stop that one, or set store.path to another file",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file cannot be created or opened.
    #[error("cannot open {}: {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
    /// The path of the database is a folder.
    #[error(
        "{} is a folder, and the database is a file: write a file's name into store.path, such as \
         {}",
        .0.display(),
        .0.join("cii-exporter.db").display()
    )]
    Folder(PathBuf),
    /// The folder of the database does not exist.
    #[error(
        "there is no folder {}, and none is made for the database {}: make it for the exporter's \
         user, or correct store.path",
        .folder.display(),
        .path.display()
    )]
    NoFolder {
        /// The database.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// There is no database, and a reader creates none.
    #[error("there is no database at {}, and none is made: {}", .path.display(), where_else(*.is_relative))]
    Missing {
        /// The path.
        path: PathBuf,
        /// Whether `store.path` is relative to the working directory of a command.
        is_relative: bool,
    },
    /// The file is empty.
    #[error(
        "{} is empty, and no database yet: `cii-exporter run` makes one of it; or set store.path to \
         the daemon's",
        .0.display()
    )]
    Empty(PathBuf),
    /// The user may not read the file.
    #[error(
        "cannot read {}: {source}; the database is its owner's alone: run the command as root, or \
         as the daemon's user",
        .path.display()
    )]
    Denied {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
    /// A newer exporter wrote the database.
    #[error(
        "{} has version {found}, and this exporter knows versions up to {known}; \
         run the newer exporter that wrote it, or restore a copy from before the upgrade",
        .path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The database's version.
        found: usize,
        /// The newest version known here.
        known: usize,
    },
    /// An older exporter wrote the database, and it was not upgraded.
    #[error("an older exporter wrote {}; `cii-exporter run` upgrades it", .0.display())]
    TooOld(PathBuf),
    /// The database failed.
    #[error("the database failed: {0}")]
    Sql(SqlError),
    /// The database cannot be used at all.
    #[error("{}: {remedy} ({source})", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        remedy: &'static str,
        /// The error of the database.
        source: SqlError,
    },
    /// The folder of a copy does not exist.
    #[error("there is no folder {} for the copy; make it, or name another", .0.display())]
    NoFolderOfCopy(PathBuf),
    /// A file has the name of the copy.
    #[error("{} exists, and a copy replaces no file; name another", .0.display())]
    Exists(PathBuf),
    /// The copy is damaged.
    #[error("{} is damaged, and is not put in the place of the database: {problem}", .path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// The first problem that was found.
        problem: String,
    },
    /// The file is the database of another program.
    #[error(
        "{} is the database of another program; set store.path to another file",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The server's database has no tables of an exporter.
    #[error(
        "{0} has no tables of the exporter yet: `cii-exporter run` makes them; if the daemon has \
         others, correct store.url or store.schema"
    )]
    NoTables(String),
    /// The tables on the server belong to another program.
    #[error("{0} has tables of another program; set store.schema to a schema of its own")]
    ForeignTables(String),
    /// The server's version is not supported.
    #[error(
        "{server} runs PostgreSQL {version}, and 15 or newer is needed: upgrade it, or use another"
    )]
    OldServer {
        /// The server and its database.
        server: String,
        /// The server's version.
        version: String,
    },
    /// Another process removed or replaced the database's files.
    #[error(
        "{} {what} while the exporter ran, so that nothing more is acknowledged: what is \
         committed could be lost. Keep other programs off the database (`cii-exporter db backup` \
         makes copies, `cii-exporter db restore` puts one there), and start again",
        .path.display()
    )]
    Touched {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        what: &'static str,
    },
    /// SQLite rolled a transaction back by itself.
    #[error("the database gave a transaction up; is the disk full?")]
    GivenUp,
    /// A row cannot be decoded.
    #[error("{} cannot be understood: {source}", row_name(table, &format!("{key:?}")))]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        source: Unreadable,
    },
    /// The database's path cannot be the label of a metric.
    #[error("no metrics can be made for the database: {0}")]
    Meters(Arc<prometheus::Error>),
    /// One change cannot be applied; the other changes of its group are.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The write-ahead log cannot be emptied.
    #[error(
        "the rows are gone, and the log beside the database still holds what was in them: another \
         program reads the database. End that, and purge again"
    )]
    LogInUse,
    /// The writer thread cannot be started.
    #[error("the thread that writes cannot be started: {0}")]
    NoThread(Arc<std::io::Error>),
    /// Another replica is the leader now.
    #[error("another replica acts by now, and what this one was doing is left to it")]
    NotLeader,
    /// Commits wait for a standby of the server.
    #[error(
        "commits wait for a synchronous standby that does not confirm them, and nothing is \
         acknowledged meanwhile: bring the standby back; or empty synchronous_standby_names on the \
         server, to go on without one"
    )]
    StandbyAway,
    /// The database does not answer.
    #[error("the database has not answered for {} s", .0.as_secs())]
    Silent(Duration),
    /// The maximum number of writes is waiting.
    #[error("too many writes are waiting")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// A hint at other paths, when the database is not at the configured one.
const fn where_else(is_relative: bool) -> &'static str {
    if is_relative {
        "store.path is looked for in the folder in which a command runs; run it in the daemon's \
         folder, name the daemon's configuration by --config, or set store.path to an absolute path"
    } else {
        "`cii-exporter run` makes it at its first start; if the daemon has another, name its \
         configuration by --config, or correct store.path"
    }
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl StoreError {
    /// The values that [`reason`](Self::reason) returns.
    pub(super) const REASONS: &[&str] = &[
        "disk_full",
        "io",
        "locked",
        "corrupt",
        "read_only",
        "moved",
        "unreachable",
        "denied",
        "data",
        "other",
    ];

    /// The reason of a failed commit, as the metric `cii_store_commit_failures_total` has it.
    pub(super) fn reason(&self) -> &'static str {
        if self.is_of_one_row() {
            return "data";
        }
        match self {
            Self::Touched { .. } => "moved",
            Self::GivenUp => "disk_full",
            Self::StandbyAway | Self::Silent(_) => "unreachable",
            Self::Sql(error) => match error.kind() {
                SqlErrorKind::DiskFull => "disk_full",
                SqlErrorKind::Io => "io",
                SqlErrorKind::Locked | SqlErrorKind::Conflict => "locked",
                SqlErrorKind::Corrupt | SqlErrorKind::NotADatabase => "corrupt",
                SqlErrorKind::ReadOnly => "read_only",
                SqlErrorKind::Unreachable => "unreachable",
                SqlErrorKind::Denied => "denied",
                SqlErrorKind::UnreadableRow | SqlErrorKind::Data | SqlErrorKind::Other => "other",
            },
            _ => "other",
        }
    }

    /// The same error with the file and a remedy, for the operator who starts the exporter.
    #[must_use]
    pub fn with_remedy(self, path: &Path) -> Self {
        let Self::Sql(source) = &self else { return self };
        let remedy = match self.reason() {
            "disk_full" => "the disk is full; make room and start again",
            "io" => "the disk fails, or the file cannot be opened; look at the system's log",
            "locked" => "another program holds a lock on it; end that and start again",
            "read_only" => "it cannot be written; the exporter's user must own it and its folder",
            "corrupt" if source.kind() == SqlErrorKind::NotADatabase => {
                "it is no SQLite database; set store.path to another file, or put a copy there"
            }
            "corrupt" => {
                "it is damaged; `cii-exporter db check` tells more, `cii-exporter db restore` puts a \
                 copy there; or move it away to begin anew"
            }
            _ => return self,
        };
        Self::Unusable { path: path.to_owned(), remedy, source: source.clone() }
    }

    /// A row that cannot be decoded.
    pub(super) fn corrupt(
        table: &'static str,
        key: &(impl ToString + ?Sized),
        source: impl Into<Unreadable>,
    ) -> Self {
        Self::Corrupt { table, key: key.to_string(), source: source.into() }
    }

    /// Whether it concerns one row or one change while the database works, so that others can still
    /// be read and written.
    #[must_use]
    pub fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Fault(_) | Self::NotLeader)
            || self.is_unreadable_row()
            || self.is_about_data()
    }

    /// Whether a stored row cannot be decoded while the database works.
    pub(super) fn is_unreadable_row(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Sql(error) => error.kind() == SqlErrorKind::UnreadableRow,
            _ => false,
        }
    }

    /// Whether the database rejects writes.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::ReadOnly)
    }

    /// Whether it concerns a server and can end by itself or by an action there: a failover, a
    /// restart, a missing standby, a full disk.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::StandbyAway | Self::Silent(_) | Self::Busy => true,
            Self::Sql(error) => matches!(
                error.kind(),
                SqlErrorKind::Unreachable
                    | SqlErrorKind::ReadOnly
                    | SqlErrorKind::Locked
                    | SqlErrorKind::Conflict
                    | SqlErrorKind::DiskFull
            ),
            _ => false,
        }
    }

    /// Whether the server cannot be reached, so that the outcome of the request is unknown.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Unreachable)
    }

    /// Whether an immediate retry may succeed.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Conflict)
    }

    /// Whether another process holds the lock.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Locked)
    }

    /// Whether it is caused by the data to store and not by the disk.
    pub(super) fn is_about_data(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Data)
    }
}

/// The result of a read; none, with a log line, for a row that cannot be decoded, so that other
/// rows can still be shown.
///
/// # Errors
/// When the database fails.
pub fn skip_unreadable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.is_unreadable_row() => {
            tracing::error!(%error, "a row of the store cannot be read, and is left out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
