//! One connection to the server, with the limits of its answers.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Client, error::Severity};

use super::{
    Limits, Way,
    ahead::{self, Ahead},
    failure::{self, connection_abandoned, too_slow},
    io::Io,
    preamble::preamble,
    running::Running,
    text::Texts,
};
use crate::store::{StoreError, load, sql::Connection, under_way::UnderWay};

/// Groups query rows by their keys. These settings make the plan right before the server has
/// analysed its tables: otherwise it scans short tables completely for the keys of a large group.
/// JIT compilation does not pay off even for plans that the server estimates as expensive.
const BY_KEY: &str = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off;";

/// The values in the row that every transaction that writes locks first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    /// The number of the leader's term.
    pub(super) fence: i64,
    /// The version of the schema, which a newer replica may have upgraded meanwhile.
    pub(super) schema_version: usize,
}

/// A connection. Dropping it closes the connection.
pub(super) struct Session {
    pub(super) io: Io,
    pub(super) limits: Limits,
    pub(super) texts: Arc<Texts>,
    pub(super) client: RefCell<Option<Arc<Client>>>,
    /// The task that does its I/O. It ends with the client when no answer of the server is
    /// outstanding.
    task: AbortHandle,
    /// Set when the server sent a warning.
    pub(super) warned: Arc<AtomicBool>,
    /// Sets the schema at the begin of a transaction: a pool may give each transaction another
    /// session.
    pub(super) search_path: String,
    pub(super) in_transaction: Cell<bool>,
    /// Statements whose rows are being received, the innermost last.
    pub(super) running: RefCell<Vec<Running>>,
    /// Statements that were sent after those, and are not waited for yet.
    pub(super) ahead: RefCell<Ahead>,
    /// What each answer restarts, for the session that writes.
    pub(super) under_way: UnderWay,
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
            ahead: RefCell::default(),
            under_way: UnderWay::default(),
        })
    }

    /// Whether the session can be used, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.client.borrow().as_ref().is_some_and(|client| !client.is_closed())
    }

    pub(super) fn client(&self) -> Result<Arc<Client>, StoreError> {
        self.client.borrow().clone().ok_or_else(connection_abandoned)
    }

    /// Closes the connection without waiting for the server. Running statements are not cancelled.
    pub(super) fn give_up(&self) {
        self.forget();
        self.client.borrow_mut().take();
        // Without the client, the library would still wait for outstanding answers.
        self.task.abort();
        self.in_transaction.set(false);
    }

    /// Drops all outstanding answers.
    fn forget(&self) {
        self.running.borrow_mut().clear();
        self.forget_ahead();
    }

    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        what: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match self.io.wait(limit, work) {
            Ok(Ok(done)) => {
                self.under_way.restart();
                Ok(done)
            }
            Ok(Err(error)) => Err(self.convert_error(&error)),
            Err(_) => {
                self.give_up();
                Err(too_slow(what))
            }
        }
    }

    /// Converts an error of the server. If it ended the connection, the session is closed, and the
    /// outcome of a commit is looked up.
    pub(super) fn convert_error(&self, error: &tokio_postgres::Error) -> StoreError {
        let is_over = match error.as_db_error() {
            Some(said) => failure::is_fatal(said),
            None => self.client.borrow().as_ref().is_none_or(|client| client.is_closed()),
        };
        if is_over {
            self.give_up();
        }
        failure::of(error)
    }

    /// Sends statements without parameters and rows, without waiting.
    pub(super) fn batch_ahead(&self, sql: String) -> Result<(), StoreError> {
        let client = self.client()?;
        self.send_ahead(async move { client.batch_execute(&sql).await })
    }

    /// Runs statements without parameters and rows.
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.batch_within(self.limits.statement, sql)
    }

    /// Runs statements without parameters and rows, with a limit of their own.
    pub(super) fn batch_within(&self, limit: Duration, sql: &str) -> Result<(), StoreError> {
        self.settle()?;
        let client = self.client()?;
        self.wait(limit, "a statement", client.batch_execute(sql))
    }

    /// Begins a transaction that writes; it is exclusive over all replicas until it ends.
    pub(super) fn begin_writing(&self, commit: &str) -> Result<Begun, StoreError> {
        self.in_transaction.set(true);
        let preamble = preamble(commit, self.limits, &self.search_path);
        self.batch_ahead(format!("{preamble} {BY_KEY} SELECT id FROM head FOR UPDATE"))?;
        // Every group reads the head next.
        self.rehearse(&mut || {
            let _ = read_begun(self).and_then(|_| load::head(self));
        });
        read_begun(self)?.ok_or_else(failure::no_head)
    }

    /// Begins a transaction whose writes no standby needs to have when it ends.
    pub(super) fn begin_local(&self) -> Result<(), StoreError> {
        self.in_transaction.set(true);
        self.batch_ahead(preamble("local", self.limits, &self.search_path))
    }

    /// Begins a transaction that is exclusive for a key, for changes of the schema.
    ///
    /// It waits for each lock no longer than a group does. Other transactions queue behind a
    /// waiting lock. Without the limit, the groups of other replicas could wait behind the removal
    /// of an index, which itself waits for the end of a long read.
    pub(super) fn begin_alone(
        &self,
        key: i64,
        commit: &str,
        limits: Limits,
    ) -> Result<(), StoreError> {
        self.in_transaction.set(true);
        let preamble = preamble(commit, limits, &self.search_path);
        self.batch(&format!("{preamble} SELECT pg_advisory_xact_lock({key})"))
    }

    /// Commits. Success means that the server committed without a warning.
    ///
    /// # Errors
    /// When it did not commit. If that is unknown, the connection is closed.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let client = self.client()?;
        self.warned.store(false, Ordering::Release);
        // Sent behind all other statements without waiting for them: if one of them failed, the
        // server ends the transaction without a commit.
        let mut committing = pin!(client.batch_execute("COMMIT"));
        let begun = ahead::begin(committing.as_mut());
        let settled = self.settle();
        self.in_transaction.set(false);
        self.forget_ahead();
        settled?;
        match begun {
            Poll::Ready(done) => done.map_err(|error| self.convert_error(&error))?,
            Poll::Pending => self.wait(self.limits.commit, "a commit", committing)?,
        }
        if self.warned.load(Ordering::Acquire) {
            // A warning can mean that the wait for the standby was cancelled. Its text depends on
            // the server's language, so every warning counts.
            self.give_up();
            return Err(failure::unknown_outcome());
        }
        Ok(())
    }

    /// Rolls the transaction back, if there is one.
    pub(super) fn roll_back(&self) {
        self.forget();
        if self.in_transaction.replace(false) && self.batch("ROLLBACK").is_err() {
            self.give_up();
        }
    }
}

/// The values in the row that the transaction has locked.
fn read_begun(session: &dyn Connection) -> Result<Option<Begun>, StoreError> {
    session.optional(
        "SELECT fence, (SELECT value FROM meta WHERE key = 'schema_version') FROM head",
        &[],
        |row| {
            let version = row.text(1)?.parse();
            Ok(Begun {
                fence: row.get(0)?,
                schema_version: version.map_err(|_| failure::no_version())?,
            })
        },
    )
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("is_open", &Self::is_open(self)).finish_non_exhaustive()
    }
}
