//! A database on a server that is read, or filled, as a whole: a transaction of many minutes.

use std::time::Duration;

use super::{Limits, Way, failure, schema, session::Session};
use crate::store::{
    StoreError,
    sql::{Connection, params},
    tables::Table,
};

/// How long one statement of it, or the commit with its standby, may take: far longer than a
/// group's, since a count or an index goes over all rows, and a standby has to receive them all.
const PATIENCE: Duration = Duration::from_mins(10);

/// Who holds the lease now, by name.
const HOLDER: &str = "SELECT coalesce(name, '') FROM lease
    WHERE holder IS NOT NULL AND expires_at > clock_timestamp()";

/// A connection that reads all of a database as it is at one moment, while replicas go on.
#[derive(Debug)]
pub(in crate::store) struct Snapshot(Session);

/// A transaction in which an empty database is filled; the tables are made by it where there are
/// none. Dropped before its end, nothing of it is there.
#[derive(Debug)]
pub(in crate::store) struct Filling(Session);

impl Way {
    /// Begins to read a database of this exporter's version.
    pub(in crate::store) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let session = self.connect_patiently()?;
        session.begin_reading()?;
        stay(&session)?;
        schema::check(&session, &self.server)?;
        Ok(Snapshot(session))
    }

    /// Begins to fill a database.
    pub(in crate::store) fn filling(&self) -> Result<Filling, StoreError> {
        let session = self.connect_patiently()?;
        schema::begin(&session, &self.server)?;
        stay(&session)?;
        let lock = Limits::default().lock.as_millis();
        session.batch(&format!(
            "SET LOCAL synchronous_commit = {}; SET LOCAL lock_timeout = {lock}; \
             SET LOCAL statement_timeout = {}",
            self.server.commit_level(),
            PATIENCE.as_millis(),
        ))?;
        // As every group does: who has it is alone, and nobody takes the lease over meanwhile.
        (&session as &dyn Connection)
            .optional("SELECT id FROM head FOR UPDATE", &[], |row| row.get::<i64>(0))?
            .ok_or_else(failure::no_head)?;
        Ok(Filling(session))
    }

    fn connect_patiently(&self) -> Result<Session, StoreError> {
        let limits = Limits { statement: PATIENCE, commit: PATIENCE, ..self.limits };
        Session::connect(self, limits)
    }
}

/// Lets the transaction wait for the other side, whatever the server's own limit is.
fn stay(session: &Session) -> Result<(), StoreError> {
    session
        .batch(&format!("SET LOCAL idle_in_transaction_session_timeout = {}", PATIENCE.as_millis()))
}

fn holder(session: &dyn Connection) -> Result<Option<String>, StoreError> {
    session.optional(HOLDER, &[], |row| row.get(0))
}

impl Snapshot {
    /// What runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &self.0
    }

    /// The replica that polls, sends and prunes, by name; nothing when none runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&self.0)
    }
}

impl Filling {
    /// What runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &self.0
    }

    /// The replica that polls, sends and prunes, by name; nothing when none runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&self.0)
    }

    /// Does what is left to do when all rows are there.
    pub(in crate::store) fn finish(&self, tables: &[Table]) -> Result<(), StoreError> {
        let session: &dyn Connection = &self.0;
        // Numbers go on behind those that were filled in.
        session.one(
            "SELECT setval(pg_get_serial_sequence('failure_closed', 'number'),
                coalesce(max(number), 1), max(number) IS NOT NULL) FROM failure_closed",
            params![],
            |_| Ok(()),
        )?;
        // Else the first plans are made for tables that are empty.
        let names: Vec<_> = tables.iter().map(Table::name).collect();
        self.0.batch(&format!("ANALYZE {}", names.join(", ")))
    }

    /// Commits.
    ///
    /// # Errors
    /// When nothing is kept, or, where the connection is not open any more, when that is not known.
    pub(in crate::store) fn commit(&self) -> Result<(), StoreError> {
        self.0.commit()
    }

    /// Whether the connection is there, as far as is known.
    pub(in crate::store) fn is_open(&self) -> bool {
        self.0.is_open()
    }
}
