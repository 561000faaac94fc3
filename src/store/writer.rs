//! The one thread that writes: what waits is committed as one group.

use std::{fs::File, sync::Arc, thread::JoinHandle, time::Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Meters, Store, StoreError,
    write::{Acknowledge, Transact, Write},
};

/// Writes that may wait; past that, a sender that must not wait hears `Busy`.
const QUEUE: usize = 2048;

/// Writes that share a commit at most, so that no one waits for long.
const GROUP: usize = 512;

/// The way to the thread.
pub(super) type Queue = mpsc::Sender<Write>;

/// The running thread; it ends when the last [`Store`] is gone, or when told.
#[derive(Debug)]
pub struct WriterThread {
    thread: JoinHandle<()>,
    stop: mpsc::Sender<Write>,
}

impl WriterThread {
    /// Commits what waits, closes the database and ends the thread.
    pub async fn stop(self) {
        let _ = self.stop.send(Write::Stop).await;
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

pub(super) fn start(
    connection: Connection,
    lock: File,
    announce: watch::Sender<i64>,
    meters: Meters,
) -> Result<(Queue, WriterThread), StoreError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let writer = Writer { connection, announce, meters, _lock: lock };
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run(receiver))
        .map_err(|source| StoreError::Open {
            path: "the writer thread".into(),
            source: Arc::new(source),
        })?;
    Ok((sender.clone(), WriterThread { thread, stop: sender }))
}

impl Store {
    /// Hands a write to the thread and waits until it is on the disk.
    pub(super) async fn write<T: Transact>(&self, write: T) -> Result<T::Outcome, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.shared.writes.send(write.with(reply)).await.map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// The same, but refuses at once when too many writes wait.
    pub(super) async fn write_unless_busy<T: Transact>(
        &self,
        write: T,
    ) -> Result<T::Outcome, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.shared.writes.try_send(write.with(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }
}

struct Writer {
    connection: Connection,
    announce: watch::Sender<i64>,
    meters: Meters,
    _lock: File,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Write>) {
        let mut stopping = false;
        while !stopping {
            let Some(first) = queue.blocking_recv() else { break };
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(write) = queue.try_recv()
            {
                group.push(write);
            }
            stopping = group.iter().any(|write| matches!(write, Write::Stop));
            if stopping {
                queue.close();
                while let Ok(write) = queue.try_recv() {
                    group.push(write);
                }
            }
            self.commit(group);
        }
        // Leaves one file instead of three behind; the log is safe either way.
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }

    fn commit(&mut self, group: Vec<Write>) {
        let begun = Instant::now();
        let mut acknowledgements = Vec::with_capacity(group.len());
        let result = self.transact(group, &mut acknowledgements);
        if let Ok(last_seq) = &result {
            self.meters.commits.inc();
            self.meters.commit_duration.observe(begun.elapsed().as_secs_f64());
            // Announced before it is acknowledged: whoever has seen the
            // acknowledgement finds the announcement made.
            self.announce.send_if_modified(|seq| std::mem::replace(seq, *last_seq) != *last_seq);
        }
        let result = result.map(|_| ());
        for acknowledge in acknowledgements {
            acknowledge(result.clone());
        }
    }

    /// Applies the group within one transaction and returns the newest event's
    /// sequence number.
    fn transact(
        &mut self,
        group: Vec<Write>,
        acknowledgements: &mut Vec<Acknowledge>,
    ) -> Result<i64, StoreError> {
        let mut group = group.into_iter();
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut tx = match begun {
            Ok(tx) => tx,
            Err(error) => {
                acknowledgements.extend(group.filter_map(Write::refused));
                return Err(error.into());
            }
        };
        while let Some(write) = group.next() {
            acknowledgements.extend(write.apply(&mut tx));
            if tx.is_autocommit() {
                // SQLite gave the whole transaction up: the disk is full or fails.
                acknowledgements.extend(group.filter_map(Write::refused));
                return Err(StoreError::GivenUp);
            }
        }
        let last_seq = newest_event(&tx)?;
        tx.commit()?;
        Ok(last_seq)
    }
}

fn newest_event(tx: &Transaction<'_>) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM event")?
        .query_row([], |row| row.get(0))?)
}
