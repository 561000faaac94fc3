//! What can go wrong with the store.

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
    /// A folder is where the database is to be.
    #[error(
        "{} is a folder, and the database is a file: write a file's name into store.path, such as \
         {}",
        .0.display(),
        .0.join("cii-exporter.db").display()
    )]
    Folder(PathBuf),
    /// The folder is not there in which the database is to be.
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
    /// There is no database, and the reader of one makes none.
    #[error("there is no database at {}, and none is made: {}", .path.display(), where_else(*.is_relative))]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// Whether `store.path` depends on the folder in which a command runs.
        is_relative: bool,
    },
    /// An empty file.
    #[error(
        "{} is empty, and no database yet: `cii-exporter run` makes one of it; or set store.path to \
         the daemon's",
        .0.display()
    )]
    Empty(PathBuf),
    /// A file that this user may not read.
    #[error(
        "cannot read {}: {source}; the database is its owner's alone: run the command as root, or \
         as the daemon's user",
        .path.display()
    )]
    Denied {
        /// The file.
        path: PathBuf,
        /// What the system said.
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
    /// An older exporter wrote the database, and nobody upgraded it.
    #[error("an older exporter wrote {}; `cii-exporter run` upgrades it", .0.display())]
    TooOld(PathBuf),
    /// The database failed.
    #[error("the database failed: {0}")]
    Sql(SqlError),
    /// The database cannot be used from the start on.
    #[error("{}: {remedy} ({source})", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        remedy: &'static str,
        /// What the database said.
        source: SqlError,
    },
    /// The folder is not there in which a copy is to be made.
    #[error("there is no folder {} for the copy; make it, or name another", .0.display())]
    NoFolderOfCopy(PathBuf),
    /// A file is where a copy is to be made.
    #[error("{} exists, and a copy replaces no file; name another", .0.display())]
    Exists(PathBuf),
    /// A copy that is damaged.
    #[error("{} is damaged, and is not put in the place of the database: {problem}", .path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// The first thing that is wrong with it.
        problem: String,
    },
    /// The file is another program's.
    #[error(
        "{} is the database of another program; set store.path to another file",
        .0.display()
    )]
    Foreign(PathBuf),
    /// A server has no tables of an exporter.
    #[error(
        "{0} has no tables of the exporter yet: `cii-exporter run` makes them; if the daemon has \
         others, correct store.url or store.schema"
    )]
    NoTables(String),
    /// The tables on a server are another program's.
    #[error("{0} has tables of another program; set store.schema to a schema of its own")]
    ForeignTables(String),
    /// The server is older than what is supported.
    #[error(
        "{server} runs PostgreSQL {version}, and 15 or newer is needed: upgrade it, or use another"
    )]
    OldServer {
        /// The server and its database.
        server: String,
        /// What it says of itself.
        version: String,
    },
    /// Somebody else did something to the database's files.
    #[error(
        "{} {what} while the exporter ran, so that nothing more is acknowledged: what is \
         committed could be lost. Keep other programs off the database (`cii-exporter db backup` \
         makes copies, `cii-exporter db restore` puts one there), and start again",
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
    #[error("{} cannot be understood: {source}", row_name(table, &format!("{key:?}")))]
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
    /// The log beside the database cannot be emptied.
    #[error(
        "the rows are gone, and the log beside the database still holds what was in them: another \
         program reads the database. End that, and purge again"
    )]
    LogInUse,
    /// The thread that writes cannot be started.
    #[error("the thread that writes cannot be started: {0}")]
    NoThread(Arc<std::io::Error>),
    /// Another replica polls, sends and prunes by now.
    #[error("another replica acts by now, and what this one was doing is left to it")]
    NotLeader,
    /// Commits wait for a standby of the server.
    #[error(
        "commits wait for a synchronous standby that does not confirm them, and nothing is \
         acknowledged meanwhile: bring the standby back; or empty synchronous_standby_names on the \
         server, to go on without one"
    )]
    StandbyAway,
    /// The database is waited for.
    #[error("the database has not answered for {} s", .0.as_secs())]
    Silent(Duration),
    /// More writes wait than may.
    #[error("too many writes are waiting")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Where a database may be that is not where it was looked for.
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
    /// The words of [`reason`](Self::reason).
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

    /// Why nothing was committed, as the metric `cii_store_commit_failures_total` has it.
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

    /// The same error with the file, and what to do, for whoever starts the exporter.
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
        matches!(self, Self::Fault(_) | Self::NotLeader)
            || self.is_unreadable_row()
            || self.is_about_data()
    }

    /// Whether a stored row cannot be understood, while the database works.
    pub(super) fn is_unreadable_row(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Sql(error) => error.kind() == SqlErrorKind::UnreadableRow,
            _ => false,
        }
    }

    /// Whether the database takes no writes.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::ReadOnly)
    }

    /// Whether it is about a server, and passes by itself or by what somebody does there: a failover,
    /// a restart, a standby that is away, a full disk.
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

    /// Whether the server cannot be reached, so that the end of what was asked is not known.
    pub(super) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Unreachable)
    }

    /// Whether the same may succeed at once, when it is done again.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Conflict)
    }

    /// Whether somebody else has what is locked.
    pub(super) fn is_locked(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Locked)
    }

    /// Whether it is the fault of what was to be stored, and not of the disk.
    pub(super) fn is_about_data(&self) -> bool {
        matches!(self, Self::Sql(error) if error.kind() == SqlErrorKind::Data)
    }
}

/// What was read; nothing, with a line in the log, of a row that cannot be understood:
/// what is shown of others does not wait for it.
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
