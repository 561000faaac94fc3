//! The durable state and the log of events.
//!
//! Whoever has something to record commits a [`Change`]. One thread collects what
//! waits, lets the ledger decide in memory what becomes of it, and commits once a
//! group. Everybody else reads, in short transactions.

mod announcements;
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

/// The version of the schema with which the listing of the tenant, and hourly
/// polls, became the defaults.
const HOURLY_SINCE: usize = 5;

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// The term in which this handle commits; it is refused in another one.
    fence: Option<i64>,
}

#[derive(Debug)]
struct Shared {
    id: String,
    /// The schema's version before this start; 0 of a new database.
    version_before: usize,
    readers: query::Pool,
    /// Reads at once.
    reading: Arc<Semaphore>,
    queue: Arc<Queue>,
    events: watch::Receiver<i64>,
    health: watch::Receiver<Health>,
    /// Whose other end the thread that writes has.
    writing: watch::Receiver<()>,
    recent: Arc<touched::Recent>,
    erasures: Arc<AtomicU64>,
    meters: Meters,
    /// Keeps a second exporter off a file.
    lock: Option<File>,
    /// Rings when somebody wants events sent by OTLP on purpose.
    resend: Arc<Notify>,
    /// What there is beside a server.
    replica: Option<Membership>,
}

/// What makes a process one of several on a database.
#[derive(Debug)]
struct Membership {
    way: Way,
    replica: Replica,
    follower: Follower,
    lease: Mutex<Option<Lease>>,
}

impl Drop for Shared {
    /// Nobody is left who could commit: the thread commits what waits, and ends. Whoever looks
    /// for a daemon finds none; one that was killed leaves its word, and nobody answers there.
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

/// What an engine opens.
struct Parts {
    engine: Box<dyn Engine>,
    version_before: usize,
    readers: query::Pool,
    meters: Meters,
    lock: Option<File>,
    /// The same, for the thread that writes.
    held: Option<File>,
    replica: Option<(Way, Replica)>,
}

/// Reads at once. More would only share the same processors, each with a connection, its
/// caches and what it read.
pub const READERS: usize = 8;

/// Rows of a table that one sweep removes at most: well below 20 ms of the thread
/// that writes.
const SWEPT_AT_ONCE: usize = 500;

/// Failures of a check that is forgotten that go with one commit, for the same reason.
pub const FORGOTTEN_AT_ONCE: usize = 500;

impl Store {
    /// Opens the database, making or upgrading it first, and starts the thread
    /// that writes.
    ///
    /// # Errors
    /// When the file is in use, cannot be opened, or is newer than this
    /// exporter.
    pub fn open(path: &Path) -> Result<(Self, WriterThread), StoreError> {
        Self::open_as(path, true)
    }

    /// The same, but never upgrades a database: that is for the daemon to do, with a
    /// line in its log.
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

    /// Opens a database on a server, making or upgrading its schema first, and starts the thread
    /// that writes. Other replicas may have it open, too.
    ///
    /// Waits for the server, so that it is no call for a task.
    ///
    /// # Errors
    /// When the server cannot be reached or used, or the schema is newer than this exporter.
    pub fn connect(server: Server) -> Result<(Self, WriterThread), StoreError> {
        Self::connect_as(server, true)
    }

    /// The same, but never upgrades a schema.
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

    /// Starts the thread that writes.
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

    /// The same, but refuses at once when too many changes wait.
    ///
    /// # Errors
    /// `Busy` then; otherwise when the change cannot be applied, or the database
    /// cannot commit.
    pub async fn commit_unless_busy<C: Change>(&self, change: C) -> Result<C::Outcome, StoreError> {
        self.commit_unless_busy_holding(change, ()).await
    }

    /// The same; `held` is dropped once the change's memory is free, whether or not somebody
    /// still waits for its outcome.
    ///
    /// # Errors
    /// As above.
    pub async fn commit_unless_busy_holding<C: Change, H: Send + 'static>(
        &self,
        change: C,
        held: H,
    ) -> Result<C::Outcome, StoreError> {
        let (pending, outcome) = Pending::new_holding(change, self.fence, held);
        self.shared.queue.try_push(vec![pending])?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Commits changes in one transaction, in order. Each fails alone.
    ///
    /// # Errors
    /// When the store is closed; what became of each change is in the list.
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

    /// Removes some of what is too old: what was learnt before the moments that are
    /// given, and what listings left behind. What is open or watched stays;
    /// `keep_pending` spares events that wait for the delivery by OTLP. Returns how
    /// many rows went, 0 when nothing is left to remove.
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

    /// How many steps of erasures changed rows since the start. Whoever keeps rows in memory
    /// reads them again when it rises: they can name somebody who was forgotten.
    #[must_use]
    pub fn erasures(&self) -> u64 {
        self.shared.erasures.load(Ordering::Relaxed)
    }

    /// Has the delivery by OTLP look for what is to be sent on purpose.
    pub fn request_otlp_resend(&self) {
        self.shared.resend.notify_one();
    }

    /// Resolves when there is something new to send on purpose; for one waiter.
    pub async fn otlp_resend_requested(&self) {
        self.shared.resend.notified().await;
    }

    /// The number of the newest commit that touched something that is shown, counted
    /// since the start. A change is a wake-up; see [`touched_after`](Self::touched_after).
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.recent.newest()
    }

    /// What the commits after this one touched, in order; nothing when that is too
    /// long ago, and everything is to be read anew. For one follower.
    #[must_use]
    pub fn touched_after(&self, commit: u64) -> Option<Vec<Arc<Touched>>> {
        self.shared.recent.touched_after(commit)
    }

    /// Writes into the lock file where commands are taken; [`holder`] reads it. A server has none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&self, url: &str) -> std::io::Result<()> {
        let Some(mut lock) = self.shared.lock.as_ref() else { return Ok(()) };
        lock.set_len(0)?;
        lock.write_all(url.as_bytes())
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
        self.shared.events.clone()
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
        let turn = shared.reading.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let read = move || {
            let read = shared.readers.with(query);
            drop(turn);
            read
        };
        blocking::run(read).await.unwrap_or(Err(StoreError::Closed))
    }
}
