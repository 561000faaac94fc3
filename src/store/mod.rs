//! The durable state and the log of events.
//!
//! To record something, a caller commits a [`Change`]. One thread collects the waiting changes,
//! lets the ledger decide in memory how rows change, and commits once per group. All other callers
//! read, in short transactions.

mod announcements;
mod columns;
mod copy;
mod engine;
mod erase;
mod error;
#[cfg(test)]
pub(crate) mod fixtures;
mod group;
mod health;
mod inspect;
mod load;
mod meters;
mod moving;
mod opening;
mod others;
mod pending;
mod place;
mod postgres;
mod purge;
mod query;
mod queue;
mod row;
mod save;
mod shared;
mod sql;
mod sqlite;
mod standing;
mod sweep;
mod tables;
#[cfg(test)]
mod tests;
mod touched;
mod uid;
mod under_way;

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures_util::future;
use tokio::sync::{Notify, Semaphore, watch};

use crate::{
    blocking,
    domain::{Retention, Timestamp},
    ledger::{Change, Touched},
};
use announcements::Announcements;
use engine::{Engine, Sweep};
use health::Health;
use others::Others;
use pending::{Pending, Waiting};
use postgres::{Follower, Lease, Postgres, Replica, Way};
use queue::Queue;
use sqlite::Sqlite;

pub use copy::{back_up, restore};
pub use error::{SqlError, SqlErrorKind, StoreError, Unreadable, skip_unreadable};
pub use group::WriterThread;
pub use inspect::{inspect, inspect_pages};
pub use meters::Meters;
pub use moving::{MoveError, Moved, MovedTable, Progress, Side, move_store};
pub use opening::{holder_url, socket_path};
pub use postgres::{Examination, Server, Sight, Tables};
pub use purge::{Purge, Purged};
pub use query::{
    Backlog, Batch, BatchLimit, BeginRange, CheckAdvice, CheckHistory, CheckState, Counted,
    DeliveryCounts, DeliveryFilter, DeliveryRecord, EndedDurations, EventFilter, EventPage,
    FailingCheck, FailingLogin, Found, FoundCheck, FoundUser, IpRecord, IpRecordUser, IpView,
    JobState, KeptDelivery, Listing, ListingComplete, ListingState, ListingUnderWay, LogEntry,
    LogPage, NewsCursor, NullList, OtlpStanding, PastFailure, PollState, Reader, ServiceView,
    StoredEvent, UserRecord, UserView, WatchPlace, WatchReason, WatchView, Watched, WatchedAs,
    WatchedIp, WatchedUser,
};
pub use row::body::pack_body;
pub use standing::Standing;

/// The version of the file's schema that made the listing of the tenant, and hourly polls, the defaults.
const HOURLY_SINCE: usize = 5;

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// The term in which this handle commits; in another term its commits are refused.
    fence: Option<i64>,
}

#[derive(Debug)]
struct Shared {
    id: String,
    /// The schema's version before this start; 0 for a new database.
    version_before: usize,
    readers: query::Pool,
    /// Limits the number of parallel reads.
    reading: Arc<Semaphore>,
    queue: Arc<Queue>,
    events: watch::Receiver<i64>,
    health: watch::Receiver<Health>,
    /// Closed when the writer thread ends, which holds the sender.
    writing: watch::Receiver<()>,
    recent: Arc<touched::Recent>,
    erasures: Arc<AtomicU64>,
    meters: Meters,
    /// The lock that keeps other exporters from opening the file.
    lock: Option<File>,
    /// Notified when events to send on purpose were requested.
    resend: Arc<Notify>,
    /// Set when the database is on a server.
    replica: Option<Membership>,
}

/// This process as one of several replicas on a database.
#[derive(Debug)]
struct Membership {
    way: Way,
    replica: Replica,
    follower: Follower,
    lease: Mutex<Option<Lease>>,
}

impl Drop for Shared {
    /// No handle is left that could commit: the thread commits what waits, and ends. The URL is
    /// removed from the lock file, so that commands find no daemon. A killed daemon leaves its URL,
    /// at which no process answers.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(lock) = &self.lock {
            drop(lock.set_len(0));
        }
    }
}

impl Membership {
    fn lease(&self) -> MutexGuard<'_, Option<Lease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects that an engine opens.
struct Parts {
    engine: Box<dyn Engine>,
    version_before: usize,
    readers: query::Pool,
    meters: Meters,
    lock: Option<File>,
    /// The lock, for the writer thread.
    held: Option<File>,
    replica: Option<(Way, Replica)>,
}

/// Maximum number of parallel reads. More would only share the same processors, each with a
/// connection, its caches and its results.
pub const READERS: usize = 8;

/// Maximum number of rows per table that one sweep removes: well below 20 ms of the writer thread.
const SWEPT_AT_ONCE: usize = 500;

/// Failures of a removed check that one commit removes, for the same reason.
pub const FORGOTTEN_AT_ONCE: usize = 500;

impl Store {
    /// Opens the database, creating or upgrading it first, and starts the writer thread.
    ///
    /// # Errors
    /// When the file is in use, cannot be opened, or is newer than this
    /// exporter.
    pub fn open(path: &Path) -> Result<(Self, WriterThread), StoreError> {
        Self::open_as(path, true)
    }

    /// Opens the database like [`open`](Self::open), but never upgrades it: only the daemon does,
    /// with a log line.
    ///
    /// # Errors
    /// When the file is in use, cannot be opened, or is of another version than this
    /// exporter's.
    pub fn open_current(path: &Path) -> Result<(Self, WriterThread), StoreError> {
        Self::open_as(path, false)
    }

    fn open_as(path: &Path, upgrade: bool) -> Result<(Self, WriterThread), StoreError> {
        Self::open_parts(path, upgrade).map_err(|error| error.with_remedy(path))
    }

    fn open_parts(path: &Path, upgrade: bool) -> Result<(Self, WriterThread), StoreError> {
        place::check_folder(path)?;
        let lock = sqlite::lock(path)?;
        let (engine, version_before) = Sqlite::open(path, upgrade)?;
        let open = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        lock.set_len(0).map_err(open)?;
        let held = lock.try_clone().map_err(open)?;
        let database = path.to_owned();
        let readers = query::Pool::new(move || Reader::open(&database), Reader::open(path)?);
        let meters = Meters::of_files(path).map_err(|error| StoreError::Meters(Arc::new(error)))?;
        Self::start(Parts {
            engine: Box::new(engine),
            version_before,
            readers,
            meters,
            lock: Some(lock),
            held: Some(held),
            replica: None,
        })
    }

    /// Opens a database on a server, creating or upgrading its schema first, and starts the writer
    /// thread. Other replicas may have it open, too.
    ///
    /// It blocks on the server, so it must not be called from an async task.
    ///
    /// # Errors
    /// When the server cannot be reached or used, or the schema is newer than this exporter.
    pub fn connect(server: Server) -> Result<(Self, WriterThread), StoreError> {
        Self::connect_as(server, true)
    }

    /// Opens a database like [`connect`](Self::connect), but never upgrades the schema.
    ///
    /// # Errors
    /// When the server cannot be reached or used, or the schema is of another version than this
    /// exporter's.
    pub fn connect_current(server: Server) -> Result<(Self, WriterThread), StoreError> {
        Self::connect_as(server, false)
    }

    fn connect_as(server: Server, upgrade: bool) -> Result<(Self, WriterThread), StoreError> {
        Self::connect_over(Way::new(server)?, upgrade)
    }

    fn connect_over(way: Way, upgrade: bool) -> Result<(Self, WriterThread), StoreError> {
        let (engine, version_before) = Postgres::open(&way, upgrade)?;
        let first = Reader::for_server(&way)?;
        let replica = Some((way.clone(), engine.replica().clone()));
        let readers = query::Pool::new(move || Reader::for_server(&way), first);
        let meters = Meters::of_server().map_err(|error| StoreError::Meters(Arc::new(error)))?;
        Self::start(Parts {
            engine: Box::new(engine),
            version_before,
            readers,
            meters,
            lock: None,
            held: None,
            replica,
        })
    }

    /// Starts the writer thread.
    fn start(parts: Parts) -> Result<(Self, WriterThread), StoreError> {
        let Parts { engine, version_before, readers, meters, lock, held, replica } = parts;
        let (id, newest) = readers.with(|reader| Ok((reader.store_id()?, reader.last_seq()?)))?;
        let (sender, events) = watch::channel(newest);
        let queue = Arc::new(Queue::new());
        let recent = Arc::new(touched::Recent::new());
        let (health, current_health) = watch::channel(Health::default());
        let erasures = Arc::new(AtomicU64::new(0));
        let resend = Arc::new(Notify::new());
        let announcements = Announcements {
            event: sender,
            recent: recent.clone(),
            erasures: erasures.clone(),
            health,
        };
        let replica = match replica {
            None => None,
            Some((way, replica)) => {
                let after = readers.with(Reader::commits)?;
                let audience = Others {
                    announcements: announcements.clone(),
                    meters: meters.clone(),
                    resend: resend.clone(),
                    queue: queue.clone(),
                    is_away: AtomicBool::new(false),
                    is_warned: AtomicBool::new(false),
                };
                let follower = Follower::start(&way, &replica, &id, after, audience)
                    .map_err(|source| StoreError::NoThread(Arc::new(source)))?;
                Some(Membership { way, replica, follower, lease: Mutex::default() })
            }
        };
        let (writes, writing) = watch::channel(());
        let held = (held, writes);
        let thread = group::start(engine, held, queue.clone(), announcements, meters.clone())
            .map_err(|source| StoreError::NoThread(Arc::new(source)))?;
        let shared = Shared {
            id,
            version_before,
            readers,
            reading: Arc::new(Semaphore::new(READERS)),
            queue,
            events,
            health: current_health,
            writing,
            recent,
            erasures,
            meters,
            lock,
            resend,
            replica,
        };
        Ok((Self { shared: Arc::new(shared), fence: None }, thread))
    }

    /// Commits a change. It is on the disk when this returns.
    ///
    /// # Errors
    /// When the change cannot be applied, or the database cannot commit.
    pub async fn commit<C: Change>(&self, change: C) -> Result<C::Outcome, StoreError> {
        let (pending, outcome) = Pending::new_holding(change, self.fence, ());
        self.shared.queue.push(vec![pending]).await?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits a change, but refuses at once when too many changes wait.
    ///
    /// # Errors
    /// `Busy` when too many changes wait; otherwise when the change cannot be applied, or the
    /// database cannot commit.
    pub async fn commit_unless_busy<C: Change>(&self, change: C) -> Result<C::Outcome, StoreError> {
        self.commit_unless_busy_holding(change, ()).await
    }

    /// Commits a change like [`commit_unless_busy`](Self::commit_unless_busy). `held` is dropped
    /// when the change's memory is freed, even if no caller waits for the outcome any more.
    ///
    /// # Errors
    /// As for [`commit_unless_busy`](Self::commit_unless_busy).
    pub async fn commit_unless_busy_holding<C: Change, H: Send + 'static>(
        &self,
        change: C,
        held: H,
    ) -> Result<C::Outcome, StoreError> {
        let (pending, outcome) = Pending::new_holding(change, self.fence, held);
        self.shared.queue.try_push(vec![pending])?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits changes in one transaction, in order. A change that fails does not affect the
    /// others.
    ///
    /// # Errors
    /// When the store is closed; the list has the result of each change.
    pub async fn commit_all<C: Change>(
        &self,
        changes: impl IntoIterator<Item = C>,
    ) -> Result<Vec<Result<C::Outcome, StoreError>>, StoreError> {
        let mut group: Vec<Box<dyn Waiting>> = Vec::new();
        let mut outcomes = Vec::new();
        for change in changes {
            let (pending, outcome) = Pending::new_holding(change, self.fence, ());
            group.push(pending);
            outcomes.push(outcome);
        }
        if group.is_empty() {
            return Ok(Vec::new());
        }
        self.shared.queue.push(group).await?;
        let outcomes = future::join_all(outcomes).await;
        let told = |outcome: Result<_, _>| outcome.unwrap_or(Err(StoreError::Closed));
        Ok(outcomes.into_iter().map(told).collect())
    }

    /// Removes some of the rows that are too old: rows from before the given moments, and the
    /// remains of listings. Rows that are open or watched stay; `keep_pending` also keeps events
    /// that wait for the OTLP delivery. Returns the number of removed rows, 0 when no such row is
    /// left.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn sweep(
        &self,
        before: Retention<Timestamp>,
        keep_pending: bool,
    ) -> Result<usize, StoreError> {
        let sweep = Sweep { before, keep_pending, fence: self.fence };
        let outcome = self.shared.queue.push_sweep(sweep, SWEPT_AT_ONCE)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// The number of erasure steps that changed rows since the start. When it rises, rows that are
    /// cached in memory must be read again: they can name a removed person.
    #[must_use]
    pub fn erasures(&self) -> u64 {
        self.shared.erasures.load(Ordering::Relaxed)
    }

    /// Wakes the OTLP delivery, which then looks for events to send on purpose.
    pub fn request_otlp_resend(&self) {
        self.shared.resend.notify_one();
    }

    /// Resolves when there are new events to send on purpose; for one waiter.
    pub async fn otlp_resend_requested(&self) {
        self.shared.resend.notified().await;
    }

    /// The number of the newest commit that touched something that is shown, counted since the
    /// start. A change is only a wake-up; see [`touched_after`](Self::touched_after).
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.recent.newest()
    }

    /// What the commits after this one touched, in order; none when that is too long ago, and
    /// everything must be read again. For one follower.
    #[must_use]
    pub fn touched_after(&self, commit: u64) -> Option<Vec<Arc<Touched>>> {
        self.shared.recent.touched_after(commit)
    }

    /// Writes the URL for commands into the lock file, where `holder_url` reads it. With a server
    /// there is no such file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&self, url: &str) -> std::io::Result<()> {
        let Some(mut lock) = self.shared.lock.as_ref() else { return Ok(()) };
        lock.set_len(0)?;
        lock.write_all(url.as_bytes())
    }

    /// The store's own id, created once: it stays over restarts and upgrades.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// Whether this start upgraded a database of a version with other defaults for schedules, and
    /// without a listing of the tenant.
    #[must_use]
    pub fn had_former_defaults(&self) -> bool {
        // Schemas on a server are counted anew, and are all younger.
        !self.is_shared() && (1..HOURLY_SINCE).contains(&self.shared.version_before)
    }

    /// The number of the newest committed event. A change is only a wake-up and carries no data:
    /// followers read from a cursor of their own.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<i64> {
        self.shared.events.clone()
    }

    /// The metrics of the store.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.shared.meters
    }

    /// Reads within one transaction, so that all results are from one moment.
    ///
    /// # Errors
    /// The error of `query`, or of opening a reader.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.shared.clone();
        let turn = shared.reading.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let read = move || {
            let read = shared.readers.with(query);
            drop(turn);
            read
        };
        blocking::run(read).await.unwrap_or(Err(StoreError::Closed))
    }
}
