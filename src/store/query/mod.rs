//! Reads: short transactions on connections that cannot write.

mod batch;
mod check;
mod curve;
mod delivery;
mod events;
mod failing;
mod find;
mod folded;
mod history;
mod ip;
mod job;
mod missing;
mod news;
mod nulls;
mod otlp;
mod people;
mod person;
mod poll;
mod pool;
mod purge;
mod resolution;
mod service;
mod snapshot;
mod spelling;
mod target;
mod tenant;
mod user;
mod watch;
mod watched;

use std::{io, path::Path, sync::Arc};

use rusqlite::Connection;

use super::{StoreError, place, sql, sqlite};

pub use batch::{Batch, BatchLimit};
pub use check::{CheckAdvice, CheckState};
pub use curve::CheckHistory;
pub use delivery::{DeliveryCounts, DeliveryFilter, DeliveryRecord, KeptDelivery};
pub use events::{StoredEvent, Subjects};
pub use failing::{Began, FailingCheck, FailingLogin};
pub use find::{Found, FoundCheck, FoundUser};
pub use folded::{LogEntry, LogPage};
pub use history::{EventFilter, EventPage};
pub use ip::IpView;
pub use job::JobState;
pub use news::NewsCursor;
pub use nulls::NullList;
pub use otlp::{Backlog, OtlpStanding};
pub use person::PastFailure;
pub use poll::PollState;
pub(super) use pool::Pool;
pub use resolution::{Counted, Lasted};
pub use service::ServiceView;
pub use snapshot::{IpRecord, IpRecordUser, UserRecord};
pub use tenant::{Listing, ListingComplete, ListingState, ListingUnderWay};
pub use user::UserView;
pub use watch::{WatchPlace, Watched};
pub use watched::{WatchReason, WatchView, WatchedIp, WatchedUser};

/// One reading connection.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: sqlite::open_reader(path)? })
    }

    /// Looks into a database that another process may hold.
    ///
    /// # Errors
    /// When there is none, or it is of another version than this exporter's; says which file,
    /// and what to do.
    pub fn look_into(path: &Path) -> Result<Self, StoreError> {
        place::check_file(path)?;
        let open = || {
            let reader = Self::open_ours(path)?;
            sqlite::check_version(&reader.connection)?;
            Ok(reader)
        };
        open().map_err(|error: StoreError| error.at_start(path))
    }

    /// The same, of a copy that may be of an older version, as long as it is one of ours.
    ///
    /// # Errors
    /// When there is none, or it is not one of ours, or a newer exporter's.
    pub(super) fn look_into_older(path: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        // `store.path`, of which a database that is missing speaks, is another file.
        if path.metadata().map_err(open)?.is_dir() {
            return Err(open(io::ErrorKind::IsADirectory.into()));
        }
        let reader = Self::open_ours(path)?;
        match sqlite::check_version(&reader.connection) {
            Err(StoreError::TooOld(_)) => Ok(reader),
            checked => checked.map(|()| reader),
        }
    }

    /// Opens a database of any version, that this exporter made.
    fn open_ours(path: &Path) -> Result<Self, StoreError> {
        let reader = Self::open(path)?;
        let version = sqlite::version(&reader.connection)?;
        if sqlite::is_foreign(&reader.connection, version)? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        if version == 0 {
            return Err(StoreError::Empty(path.to_owned()));
        }
        Ok(reader)
    }

    /// What runs statements.
    fn sql(&self) -> &dyn sql::Connection {
        &self.connection
    }

    /// Several queries in one transaction.
    pub(super) fn at_once<T>(
        &self,
        query: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connection.execute_batch("BEGIN")?;
        let result = query(self);
        self.connection.execute_batch("ROLLBACK")?;
        result
    }

    /// Copies all of the database into a file that is empty.
    pub(super) fn copy_into(&self, path: &Path) -> Result<(), StoreError> {
        self.connection.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
        Ok(())
    }

    pub(super) fn store_id(&self) -> Result<String, StoreError> {
        Ok(self.connection.query_row(
            "SELECT value FROM meta WHERE key = 'store_id'",
            [],
            |row| row.get(0),
        )?)
    }

    /// All that a query of one column gives.
    pub(super) fn texts(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A number that is never negative.
    fn count(&self, sql: &str, params: impl rusqlite::Params) -> Result<u64, StoreError> {
        Ok(self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
    }
}
