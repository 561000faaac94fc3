//! The durable state and the log of events, in one SQLite file.
//!
//! One thread owns the connection that writes and commits what waits in one
//! group; decisions of the domain run inside its transaction, so that old state
//! is read under the lock. Everybody else reads, in short transactions.

mod connection;
mod error;
mod meters;
mod migrations;
mod moment;
mod read;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::{fs::File, io::Write as _, path::Path, sync::Arc};

use tokio::sync::{Notify, watch};

pub use error::StoreError;
pub use meters::Meters;
pub use read::{
    ApplicationUse, Backlog, Batch, BatchLimit, CheckAdvice, CheckState, CheckTotals,
    DeliveryCounts, DeliveryRecord, EventFilter, EventPage, FailingCheck, FailingLogin, IpRecord,
    IpRecordUser, IpView, JobState, KeptDelivery, Listing, ListingComplete, ListingState,
    ListingUnderWay, NewsCursor, NullList, OtlpStanding, PollState, Reader, ServiceView,
    StoredEvent, Subjects, UserRecord, UserView, WatchRank, WatchReason, Watched, WatchedIp,
    WatchedUser,
};
pub use write::{
    AddWatch, DeliveryOutcome, JudgedNulls, ListedUser, ListingEnd, OtlpProgress, RecordDelivery,
    RecordFailures, RecordIp, RecordNulls, RecordPoll, RecordRefused, RecordRun, RecordService,
    RecordTenantPage, RecordUser, RecordedDelivery, WatchAdded, WatchOutcome, WatchRemoved,
};
pub use writer::WriterThread;

/// How the exporter that holds a database is reached, when one left word.
#[must_use]
pub fn holder(database: &Path) -> Option<String> {
    let word = std::fs::read_to_string(connection::lock_file(database)).ok()?;
    (!word.is_empty()).then_some(word)
}

/// The version of the schema with which the listing of the tenant, and hourly
/// polls, became the defaults.
const HOURLY_SINCE: usize = 5;

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    id: String,
    /// The schema's version before this start; 0 of a new database.
    version_before: usize,
    readers: read::Pool,
    writes: writer::Queue,
    commits: watch::Receiver<i64>,
    meters: Meters,
    lock: File,
    /// Rings when somebody wants events sent by OTLP on purpose.
    resend: Notify,
}

impl Store {
    /// Opens the database, making or upgrading it first, and starts the thread
    /// that writes.
    ///
    /// # Errors
    /// When the file is in use, cannot be opened, or is newer than this
    /// exporter.
    pub fn open(path: &Path) -> Result<(Self, WriterThread), StoreError> {
        let lock = connection::lock(path)?;
        let mut connection = connection::open_writer(path)?;
        let version_before = migrations::migrate(&mut connection)?;
        let reader = Reader::open(path)?;
        let id = reader.store_id()?;
        let last_seq = reader.last_seq()?;
        let meters = Meters::new(path).map_err(|_| StoreError::Corrupt("metric name"))?;
        let (announce, commits) = watch::channel(last_seq);
        let open = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        lock.set_len(0).map_err(open)?;
        let held = lock.try_clone().map_err(open)?;
        let (writes, thread) = writer::start(connection, held, announce, meters.clone())?;
        let readers = read::Pool::new(path, reader);
        let resend = Notify::new();
        let shared = Shared { id, version_before, readers, writes, commits, meters, lock, resend };
        Ok((Self { shared: Arc::new(shared) }, thread))
    }

    /// Leaves word beside the database how its holder is reached; see
    /// [`holder`].
    ///
    /// # Errors
    /// When the word cannot be written.
    pub fn announce(&self, url: &str) -> std::io::Result<()> {
        self.shared.lock.set_len(0)?;
        (&self.shared.lock).write_all(url.as_bytes())
    }

    /// The store's own id, made once: it stays over restarts and upgrades.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Whether this start upgraded a database of a version that had other
    /// defaults for schedules, and no listing of the tenant by default.
    #[must_use]
    pub fn had_former_defaults(&self) -> bool {
        (1..HOURLY_SINCE).contains(&self.shared.version_before)
    }

    /// The sequence number of the newest committed event. A change is a wake-up
    /// and carries no data: whoever wakes reads on from a cursor of its own.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.shared.commits.clone()
    }

    /// What the store tells of itself.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.shared.meters
    }

    /// Reads within one transaction, so that everything read is of one moment.
    ///
    /// # Errors
    /// What `query` fails with, and when no reader can be had.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || shared.readers.with(query))
            .await
            .map_err(|_| StoreError::Closed)?
    }
}
