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

use super::{Server, StoreError, place, postgres, sql::Connection, sqlite};

pub use batch::{Batch, BatchLimit};
pub use check::{CheckAdvice, CheckState};
pub use curve::CheckHistory;
pub use delivery::{DeliveryCounts, DeliveryFilter, DeliveryRecord, KeptDelivery};
pub use events::StoredEvent;
pub use failing::{BeginRange, FailingCheck, FailingLogin};
pub use find::{Found, FoundCheck, FoundUser};
pub use folded::{LogEntry, LogPage};
pub use history::{EventFilter, EventPage};
pub use ip::IpView;
pub use job::JobState;
pub use news::{NewsCursor, WatchedAs};
pub use nulls::NullList;
pub use otlp::{Backlog, OtlpStanding};
pub use person::PastFailure;
pub use poll::PollState;
pub(super) use pool::Pool;
pub use resolution::{Counted, EndedDurations};
pub use service::ServiceView;
pub use snapshot::{IpRecord, IpRecordUser, UserRecord};
pub use tenant::{Listing, ListingComplete, ListingState, ListingUnderWay};
pub use user::UserView;
pub use watch::{WatchPlace, Watched};
pub use watched::{WatchReason, WatchView, WatchedIp, WatchedUser};

/// A connection for reading.
#[derive(Debug)]
pub struct Reader {
    connection: Box<dyn Connection>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::new(sqlite::open_reader(path)?))
    }

    fn new(connection: impl Connection + 'static) -> Self {
        Self { connection: Box::new(connection) }
    }

    /// A reader on a server whose schema is known to have this exporter's version.
    pub(super) fn for_server(way: &postgres::Way) -> Result<Self, StoreError> {
        Ok(Self { connection: way.reader()? })
    }

    /// Opens a database on a server for reading.
    ///
    /// # Errors
    /// When the server cannot be reached, there is no such database, or its schema has another
    /// version than this exporter's.
    pub fn connect(server: Server) -> Result<Self, StoreError> {
        Ok(Self { connection: postgres::Way::new(server)?.checked_reader()? })
    }

    /// Opens a database for reading; another process may have it open.
    ///
    /// # Errors
    /// When there is none, or it has another version than this exporter's; the error names the file
    /// and says what to do.
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        place::check_file(path)?;
        let opened = sqlite::open_ours(path).and_then(|connection| {
            sqlite::check_version(&connection)?;
            Ok(Self::new(connection))
        });
        opened.map_err(|error| error.with_remedy(path))
    }

    /// Opens a copy for reading, which may have an older version of the schema.
    ///
    /// # Errors
    /// When there is none, or it is another program's or a newer exporter's.
    pub(super) fn open_older(path: &Path) -> Result<Self, StoreError> {
        let open = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        // The error about a missing database names `store.path`, which is another file.
        if path.metadata().map_err(open)?.is_dir() {
            return Err(open(io::ErrorKind::IsADirectory.into()));
        }
        let connection = sqlite::open_ours(path)?;
        match sqlite::check_version(&connection) {
            Ok(()) | Err(StoreError::TooOld(_)) => Ok(Self::new(connection)),
            Err(error) => Err(error),
        }
    }

    /// The connection that runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &*self.connection
    }

    /// Sends the queries of reads that follow, so that a server has all of them before the first
    /// wait; see `Connection::foresee`.
    pub fn foresee(&self, mut reads: impl FnMut()) {
        self.sql().foresee(&mut reads);
    }

    /// Runs several queries in one transaction.
    pub(super) fn read_at_once<T>(
        &self,
        query: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.sql().begin_reading()?;
        let result = query(self);
        self.sql().end_reading()?;
        result
    }

    /// The number of groups that all replicas committed to a server.
    pub(super) fn commits(&self) -> Result<i64, StoreError> {
        self.sql().one("SELECT commits FROM head", &[], |row| row.get(0))
    }

    pub(super) fn store_id(&self) -> Result<String, StoreError> {
        self.sql().one("SELECT value FROM meta WHERE key = 'store_id'", &[], |row| row.get(0))
    }
}
