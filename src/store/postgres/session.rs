//! One connection to the server, and the limits within which it answers.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    ops::ControlFlow,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Client, Row, RowStream, SimpleQueryMessage, error::Severity};

use super::{
    Way, bulk,
    failure::{self, given_up, too_slow},
    io::Io,
    text::Texts,
    value::{Sent, type_of},
};
use crate::store::{
    SqlError, SqlErrorKind, StoreError,
    sql::{self, Bulk, Connection, Param, Put},
};

/// How long the server may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    /// For connecting.
    pub(in crate::store) connect: Duration,
    /// For one statement. The server ends it a little earlier by itself.
    pub(in crate::store) statement: Duration,
    /// For a commit, with its standby. The server does not end that wait by a time limit of its
    /// own, and must not be asked to: a wait that is cancelled reads as a success.
    pub(in crate::store) commit: Duration,
    /// For which other replicas may hold the lock.
    pub(in crate::store) lock: Duration,
    /// For finding out what became of a commit; a try that began before goes on.
    pub(in crate::store) look_up: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            commit: Duration::from_secs(10),
            lock: Duration::from_secs(5),
            look_up: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The same for everything.
    pub(super) const fn all(limit: Duration) -> Self {
        Self { connect: limit, statement: limit, commit: limit, lock: limit, look_up: limit }
    }

    /// How long the server itself lets a statement run, in milliseconds.
    const fn of_server(self) -> u128 {
        self.statement.as_millis() * 15 / 16
    }
}

/// How long another replica may take to make or upgrade the schema.
const ALONE: Duration = Duration::from_mins(10);

/// Rows that are taken from the stream at a time.
const ROWS_AT_ONCE: usize = 512;

/// A connection. Dropped, it is closed.
pub(super) struct Session {
    io: Io,
    limits: Limits,
    texts: Arc<Texts>,
    client: RefCell<Option<Arc<Client>>>,
    /// The task that moves its bytes. It ends with the client where the server owes no answer.
    task: AbortHandle,
    /// Set when the server warned of something.
    warned: Arc<AtomicBool>,
    /// Sets the schema, at the begin of a transaction: a pool between us and the server may give
    /// each transaction another session of it.
    search_path: String,
    in_transaction: Cell<bool>,
    /// Statements whose rows are being taken, the innermost last.
    running: RefCell<Vec<Running>>,
}

/// A statement whose rows are being taken.
struct Running {
    stream: Pin<Box<RowStream>>,
    rows: VecDeque<Row>,
    is_over: bool,
}

impl Session {
    /// Connects.
    pub(super) fn connect(way: &Way, limits: Limits) -> Result<Self, StoreError> {
        let Way { server, io, texts, .. } = way;
        let connected = io.wait(limits.connect, server.connect());
        let (client, mut connection) = connected.map_err(|_| too_slow("connecting"))??;
        let warned = Arc::new(AtomicBool::new(false));
        let heard = warned.clone();
        let task = io.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message
                    && notice.parsed_severity().is_none_or(|severity| severity == Severity::Warning)
                {
                    heard.store(true, Ordering::Release);
                }
            }
        });
        Ok(Self {
            io: io.clone(),
            limits,
            texts: texts.clone(),
            client: RefCell::new(Some(Arc::new(client))),
            task: task.abort_handle(),
            warned,
            search_path: server.search_path(),
            in_transaction: Cell::new(false),
            running: RefCell::default(),
        })
    }

    /// Whether it can be used, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.client.borrow().as_ref().is_some_and(|client| !client.is_closed())
    }

    fn client(&self) -> Result<Arc<Client>, StoreError> {
        self.client.borrow().clone().ok_or_else(given_up)
    }

    /// Closes the connection, whatever the server does. What it was asked is not cancelled.
    pub(super) fn give_up(&self) {
        self.running.borrow_mut().clear();
        self.client.borrow_mut().take();
        // Without a client the library still waits for the answers that the server owes.
        self.task.abort();
        self.in_transaction.set(false);
    }

    fn wait<T>(
        &self,
        limit: Duration,
        what: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match self.io.wait(limit, work) {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => {
                self.give_up();
                Err(too_slow(what))
            }
        }
    }

    /// What the server failed with. A connection that ended with it is given up: what becomes of
    /// a commit is looked up then.
    fn failed(&self, error: &tokio_postgres::Error) -> StoreError {
        let is_over = match error.as_db_error() {
            Some(said) => failure::is_fatal(said),
            None => self.client.borrow().as_ref().is_none_or(|client| client.is_closed()),
        };
        if is_over {
            self.give_up();
        }
        failure::of(error)
    }

    /// Runs statements without parameters and rows.
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.batch_within(self.limits.statement, sql)
    }

    /// The same, with a limit of its own.
    pub(super) fn batch_within(&self, limit: Duration, sql: &str) -> Result<(), StoreError> {
        let client = self.client()?;
        self.wait(limit, "a statement", client.batch_execute(sql))
    }

    /// Begins a transaction that writes: alone over all replicas, until it ends.
    ///
    /// The isolation is READ COMMITTED: a statement sees what was committed when it began, so
    /// that all after the lock see what its last holder left. Under a stricter one the snapshot
    /// would be older than the lock. Warnings are asked for whatever the role or the database has
    /// set: one alone tells that the wait for a standby was ended.
    ///
    /// Whether it may write is left to the server: who made a database read-only, such as a provider
    /// whose disk gets full, means it.
    ///
    /// Returns the fence: the number of the term of whoever acts on the outside.
    pub(super) fn begin_writing(&self, commit: &str) -> Result<i64, StoreError> {
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; \
             SET LOCAL synchronous_commit = {commit}; \
             SET LOCAL client_min_messages = warning; \
             SET LOCAL lock_timeout = {}; \
             SET LOCAL statement_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}; \
             {} SELECT fence FROM head FOR UPDATE",
            self.limits.lock.as_millis(),
            self.limits.of_server(),
            self.limits.statement.as_millis(),
            self.search_path,
        );
        let client = self.client()?;
        self.in_transaction.set(true);
        let told = self.wait(self.limits.statement, "the lock", client.simple_query(&begin))?;
        let fence = told.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        fence.ok_or_else(failure::no_head)
    }

    /// Begins a transaction that writes what no standby needs to have when it ends.
    pub(super) fn begin_local(&self) -> Result<(), StoreError> {
        self.in_transaction.set(true);
        self.batch(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; \
             SET LOCAL synchronous_commit = local; SET LOCAL statement_timeout = {}; {}",
            self.limits.of_server(),
            self.search_path,
        ))
    }

    /// Begins a transaction that nobody else begins by the same key meanwhile.
    pub(super) fn begin_alone(&self, key: i64) -> Result<(), StoreError> {
        self.in_transaction.set(true);
        // Under a stricter isolation, what the lock's last holder made would not be seen.
        self.batch_within(
            ALONE,
            &format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED; {} SELECT pg_advisory_xact_lock({key})",
                self.search_path
            ),
        )
    }

    /// Commits; whether the server did, and without a warning.
    ///
    /// # Errors
    /// When it did not. Where that is not known, the connection is not open any more.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let client = self.client()?;
        self.warned.store(false, Ordering::Release);
        let committed = self.wait(self.limits.commit, "a commit", client.batch_execute("COMMIT"));
        self.in_transaction.set(false);
        committed?;
        if self.warned.load(Ordering::Acquire) {
            // Such as: the wait for the standby was cancelled. It says so in its own language.
            self.give_up();
            return Err(failure::unknown_outcome());
        }
        Ok(())
    }

    /// Gives the transaction up, if there is one.
    pub(super) fn roll_back(&self) {
        self.running.borrow_mut().clear();
        if self.in_transaction.replace(false) && self.batch("ROLLBACK").is_err() {
            self.give_up();
        }
    }

    /// Runs a statement, and hands each of its rows on; returns how many it changed.
    fn run(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<usize, StoreError> {
        self.finish_outer()?;
        let text = self.texts.of(sql);
        let sent: Vec<_> = params.iter().map(|param| (Sent(*param), type_of(param))).collect();
        let client = self.client()?;
        let stream =
            self.wait(self.limits.statement, "a statement", client.query_typed_raw(&text, sent))?;
        let place = self.running.borrow().len();
        let running = Running { stream: Box::pin(stream), rows: VecDeque::new(), is_over: false };
        self.running.borrow_mut().push(running);
        let handed = self.hand_on(place, each);
        let ended = self.running.borrow_mut().drain(place..).next();
        handed?;
        let changed = ended.and_then(|ended| ended.stream.rows_affected()).unwrap_or(0);
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn hand_on(
        &self,
        place: usize,
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let next =
                self.running.borrow_mut().get_mut(place).ok_or_else(given_up)?.rows.pop_front();
            match next {
                // Nothing is borrowed meanwhile: what takes a row may run other statements.
                Some(row) if each(&sql::Row::new(&row))?.is_break() => return Ok(()),
                None if !self.receive(place, ROWS_AT_ONCE)? => return Ok(()),
                _ => {}
            }
        }
    }

    /// Receives rows until so many wait to be handed on; whether there may be some.
    fn receive(&self, place: usize, most: usize) -> Result<bool, StoreError> {
        let taken = self.running.borrow_mut().get_mut(place).map(|running| {
            let rows = std::mem::take(&mut running.rows);
            (rows, running.is_over)
        });
        let (mut rows, is_over) = taken.ok_or_else(given_up)?;
        if is_over {
            return Ok(false);
        }
        let mut is_over = false;
        let received = {
            let mut running = self.running.borrow_mut();
            let Some(Running { stream, .. }) = running.get_mut(place) else {
                return Err(given_up());
            };
            self.io.wait(self.limits.statement, async {
                while rows.len() < most {
                    match stream.next().await {
                        Some(Ok(row)) => rows.push_back(row),
                        Some(Err(error)) => return Err(error),
                        None => {
                            is_over = true;
                            break;
                        }
                    }
                }
                Ok(())
            })
        };
        match received {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => {
                self.give_up();
                return Err(too_slow("rows"));
            }
        }
        let mut running = self.running.borrow_mut();
        let running = running.get_mut(place).ok_or_else(given_up)?;
        running.is_over = is_over;
        running.rows = rows;
        Ok(true)
    }

    /// Receives what is left of the statements around this one: the connection hands on answers
    /// in order, and holds back those of the next statement until then.
    fn finish_outer(&self) -> Result<(), StoreError> {
        let outer = self.running.borrow().len();
        for place in 0..outer {
            let is_over = |session: &Self| {
                session.running.borrow().get(place).is_none_or(|running| running.is_over)
            };
            while !is_over(self) {
                self.receive(place, usize::MAX)?;
            }
        }
        Ok(())
    }

    /// Runs `work` in a transaction, its own where there is none.
    fn within<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.in_transaction.get() {
            return work();
        }
        self.begin_reading()?;
        let done = work();
        self.end_reading()?;
        done
    }
}

impl Connection for Session {
    fn begin_reading(&self) -> Result<(), StoreError> {
        self.batch(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; {}",
            self.limits.of_server(),
            self.search_path,
        ))?;
        self.in_transaction.set(true);
        Ok(())
    }

    fn end_reading(&self) -> Result<(), StoreError> {
        self.in_transaction.set(false);
        self.batch("ROLLBACK")
    }

    /// Every group writes its number; nothing else is needed.
    fn touch(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_open(&self) -> bool {
        Self::is_open(self)
    }

    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.within(|| self.run(sql, params, each).map(drop))
    }

    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, StoreError> {
        self.within(|| self.run(sql, params, &mut |_| Ok(ControlFlow::Continue(()))))
    }

    fn write(
        &self,
        bulk: &Bulk,
        rows: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<usize, StoreError> {
        let mut columns = bulk::Columns::of(bulk);
        let mut changed = 0;
        rows(&mut |row| {
            debug_assert!(bulk.takes(row), "other columns than those of {bulk:?}");
            let wrong = |text| SqlError::new(SqlErrorKind::Data, text);
            columns.add(row).map_err(wrong)?;
            if columns.is_full() {
                changed += self.send(bulk, &mut columns)?;
            }
            Ok(())
        })?;
        if !columns.is_empty() {
            changed += self.send(bulk, &mut columns)?;
        }
        Ok(changed)
    }
}

impl Session {
    /// Sends the rows that wait.
    fn send(&self, bulk: &Bulk, columns: &mut bulk::Columns) -> Result<usize, StoreError> {
        self.finish_outer()?;
        let lists = columns.take();
        let client = self.client()?;
        let changed = self.wait(self.limits.statement, "a statement", async {
            let lists = lists.into_iter();
            let mut stream =
                pin!(client.query_typed_raw(bulk.in_lists(bulk::statement), lists).await?);
            while let Some(row) = stream.next().await {
                row?;
            }
            Ok(stream.rows_affected())
        })?;
        Ok(usize::try_from(changed.unwrap_or(0)).unwrap_or(usize::MAX))
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("is_open", &Self::is_open(self)).finish_non_exhaustive()
    }
}
