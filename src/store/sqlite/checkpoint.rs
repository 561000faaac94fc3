//! Checkpoints: copies the write-ahead log into the database on a thread of its own.
//!
//! By itself, SQLite checkpoints within the commit after which the log is long, so that the caller
//! of that commit waits for a sync of the whole database.

use std::{
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;

use super::footprint::Footprint;
use crate::store::StoreError;

/// The number of pages that are only in the log after which they are copied.
const PAGES: u32 = 500;

/// The number of pages in the log after which the writer thread copies the rest. The log is
/// restarted only when all of it is copied, which never happens while writes continue. A longer log
/// makes this rarer; the limit is below the 32 MiB to which the log is truncated, because
/// truncating is expensive, too.
const MOST: u32 = 7000;

/// Runs checkpoints; its thread starts with the first one.
#[derive(Debug)]
pub(super) struct Checkpointer {
    database: PathBuf,
    footprint: Arc<Footprint>,
    /// The number of pages in the log after the last commit.
    in_log: Arc<AtomicU32>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of pages of the log that are in the database.
    copied: u32,
    is_asked: bool,
    /// Whether the last checkpoint failed.
    is_failing: bool,
    end: Option<End>,
}

/// How the thread's connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    /// The files are no longer those that it opened.
    Left,
}

impl Checkpointer {
    /// Replaces the automatic checkpoints of the connection that writes.
    pub(super) fn of(
        writer: &mut Connection,
        database: PathBuf,
        footprint: Arc<Footprint>,
    ) -> Result<Self, StoreError> {
        let in_log = Arc::<AtomicU32>::default();
        let seen = in_log.clone();
        // This hook replaces SQLite's own.
        writer.wal_hook(Some(move |_: &mut _, pages| {
            seen.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { database, footprint, in_log, shared: Arc::default(), thread: None })
    }

    /// Limits the length of the log after a commit. Returns whether this call wrote the database
    /// itself, instead of the thread.
    pub(super) fn follow_commit(&mut self, writer: &Connection) -> bool {
        let in_log = self.in_log.load(Ordering::Relaxed);
        let mut state = self.shared.state();
        if state.copied > in_log {
            // The log was restarted.
            state.copied = 0;
        }
        if in_log - state.copied < PAGES || (state.is_asked && self.is_running()) {
            return false;
        }
        if in_log < MOST {
            state.is_asked = true;
            drop(state);
            match self.begin() {
                Ok(()) => {
                    self.shared.changed.notify_all();
                    return false;
                }
                Err(error) => {
                    state = self.shared.state();
                    if !state.is_failing {
                        tracing::warn!(%error, "the log is copied by the thread that writes");
                    }
                }
            }
        }
        state.is_asked = false;
        state.record_result(checkpoint(writer));
        true
    }

    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Starts the thread unless it runs.
    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.is_running() {
            self.thread = Some(self.start()?);
        }
        Ok(())
    }

    fn start(&self) -> Result<JoinHandle<()>, StoreError> {
        let connection = super::connection::open_checkpointer(&self.database)?;
        let (shared, footprint) = (self.shared.clone(), self.footprint.clone());
        let thread = std::thread::Builder::new().name("store-checkpoint".to_owned());
        thread
            .spawn(move || run(&shared, &footprint, connection))
            .map_err(|source| super::footprint::io_error(&self.database, source))
    }

    /// Ends the thread, and closes its connection.
    pub(super) fn close(&mut self) {
        self.end(End::Closed);
    }

    /// Ends the thread, and leaks its connection.
    pub(super) fn abandon(&mut self) {
        self.end(End::Left);
    }

    fn end(&mut self, how: End) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.state().end = Some(how);
        self.shared.changed.notify_all();
        let _ = thread.join();
        *self.shared.state() = State::default();
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Records the result of a checkpoint. A failed one is repeated after the next commit; the log
    /// is durable either way, and grows meanwhile.
    fn record_result(&mut self, made: rusqlite::Result<u32>) {
        let was_failing = std::mem::replace(&mut self.is_failing, made.is_err());
        match made {
            Ok(copied) => self.copied = copied,
            Err(error) if !was_failing => {
                tracing::warn!(%error, "the log cannot be copied into the database, and grows");
            }
            Err(_) => {}
        }
    }
}

fn run(shared: &Shared, footprint: &Footprint, connection: Connection) {
    loop {
        let is_idle = |state: &mut State| !state.is_asked && state.end.is_none();
        let state = shared.changed.wait_while(shared.state(), is_idle);
        match state.unwrap_or_else(PoisonError::into_inner).end {
            Some(End::Closed) => return,
            Some(End::Left) => return std::mem::forget(connection),
            None => {}
        }
        let made = footprint.run_while_written(|| checkpoint(&connection));
        let mut state = shared.state();
        state.is_asked = false;
        // When another process touched the files, the writer thread reports it.
        if let Some(made) = made {
            state.record_result(made);
        }
    }
}

/// Copies the pages of the log that no reader needs any more, without waiting for readers; returns
/// how many pages of the log are in the database then.
fn checkpoint(connection: &Connection) -> rusqlite::Result<u32> {
    let sql = "PRAGMA wal_checkpoint(PASSIVE)";
    let copied: i64 = connection.query_row(sql, [], |row| row.get(2))?;
    // -1 while another checkpoint runs: this one is requested again.
    Ok(u32::try_from(copied).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::store::sqlite::connection::open_writer;

    fn open_checkpointer(database: &Path) -> (Connection, Checkpointer) {
        let mut writer = open_writer(database).unwrap();
        writer.execute_batch("CREATE TABLE entry (body BLOB)").unwrap();
        let footprint = Arc::new(Footprint::of(database).unwrap());
        let checkpointer = Checkpointer::of(&mut writer, database.to_owned(), footprint);
        (writer, checkpointer.unwrap())
    }

    fn pages(checkpointer: &Checkpointer) -> u32 {
        checkpointer.in_log.load(Ordering::Relaxed)
    }

    fn commit(writer: &Connection) {
        // Fifty pages.
        writer.execute("INSERT INTO entry VALUES (zeroblob(200000))", []).unwrap();
    }

    #[test]
    fn the_log_begins_anew_while_commits_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let (writer, mut checkpointer) = open_checkpointer(&database);
        let mut longest = 0;
        loop {
            commit(&writer);
            if pages(&checkpointer) < longest {
                break;
            }
            longest = pages(&checkpointer);
            checkpointer.follow_commit(&writer);
        }
        assert!(longest >= PAGES, "{longest} pages");
        assert!(checkpointer.thread.is_some());
        checkpointer.close();
        let written = fs::metadata(&database).unwrap().len();
        assert!(written > 200_000, "{written} bytes");
    }

    #[test]
    fn a_log_that_somebody_reads_stays_and_begins_anew_later() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let (writer, mut checkpointer) = open_checkpointer(&database);
        let reader = Connection::open(&database).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM entry").unwrap();
        let mut commits = 0;
        while pages(&checkpointer) < MOST + PAGES {
            commit(&writer);
            commits += 1;
            checkpointer.follow_commit(&writer);
        }
        reader.execute_batch("COMMIT").unwrap();
        let longest = pages(&checkpointer);
        while pages(&checkpointer) >= longest {
            checkpointer.follow_commit(&writer);
            commit(&writer);
            commits += 1;
        }
        checkpointer.close();
        let count = "SELECT count(*) FROM entry";
        let rows: i32 = writer.query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, commits);
    }
}
