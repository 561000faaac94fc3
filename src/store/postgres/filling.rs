//! A database on a server that is read, or filled, as a whole: a transaction of many minutes.

use std::time::Duration;

use uuid::Uuid;

use super::{Limits, Way, commits, failure, schema, session::Session};
use crate::{
    ledger::Touched,
    store::{
        SqlError, SqlErrorKind, StoreError,
        row::touched,
        sql::{Connection, params},
        tables::Table,
    },
};

/// How long one statement of it, or the commit with its standby, may take: far longer than a
/// group's, since a count or an index goes over all rows, and a standby has to receive them all.
const PATIENCE: Duration = Duration::from_mins(10);

/// How many times as long as a group it tries to find out what became of its commit: nobody waits
/// for it with a delivery, and a failover may take half a minute.
const LOOK_UPS: u32 = 6;

/// Who holds the lease now, by name.
const HOLDER: &str = "SELECT coalesce(name, '') FROM lease
    WHERE holder IS NOT NULL AND expires_at > clock_timestamp()";

/// A connection that reads all of a database as it is at one moment, while replicas go on.
#[derive(Debug)]
pub(in crate::store) struct Snapshot(Box<Session>);

/// A transaction in which an empty database is filled; the tables are made by it where there are
/// none. Dropped before its end, nothing of it is there.
#[derive(Debug)]
pub(in crate::store) struct Filling {
    way: Way,
    session: Session,
    /// By which it is found in the log of commits.
    id: String,
}

/// Why a filling was not committed.
#[derive(Debug)]
pub(in crate::store) enum Uncommitted {
    /// Nothing of it is there.
    Nothing(StoreError),
    /// Whether it is there, and lasts, could not be found out.
    Unknown,
}

impl Way {
    /// Begins to read a database of this exporter's version.
    pub(in crate::store) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let session = self.connect_patiently()?;
        session.begin_reading()?;
        // The other side is waited for, whatever the server's own limit is.
        session.batch(&format!(
            "SET LOCAL idle_in_transaction_session_timeout = {}",
            PATIENCE.as_millis()
        ))?;
        schema::check(&session, &self.server)?;
        Ok(Snapshot(Box::new(session)))
    }

    /// Begins to fill a database.
    pub(in crate::store) fn filling(&self) -> Result<Filling, StoreError> {
        let session = self.connect_patiently()?;
        // Its statements have the limits of those that make a schema, and so has what it waits for
        // the other side.
        schema::begin(&session, &self.server)?;
        // As every group does: who has it is alone, and nobody takes the lease over meanwhile.
        (&session as &dyn Connection)
            .optional("SELECT id FROM head FOR UPDATE", &[], |row| row.get::<i64>(0))?
            .ok_or_else(failure::no_head)?;
        Ok(Filling { way: self.clone(), session, id: Uuid::now_v7().simple().to_string() })
    }

    fn connect_patiently(&self) -> Result<Session, StoreError> {
        let limits = Limits { statement: PATIENCE, commit: PATIENCE, ..self.limits };
        Session::connect(self, limits)
    }
}

fn holder(session: &dyn Connection) -> Result<Option<String>, StoreError> {
    session.optional(HOLDER, &[], |row| row.get(0))
}

impl Snapshot {
    /// What runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &*self.0
    }

    /// The replica that polls, sends and prunes, by name; nothing when none runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&*self.0)
    }
}

impl Filling {
    /// What runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &self.session
    }

    /// The replica that polls, sends and prunes, by name; nothing when none runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&self.session)
    }

    /// Does what is left to do when all rows are there.
    pub(in crate::store) fn finish(&self, tables: &[Table]) -> Result<(), StoreError> {
        let session: &dyn Connection = &self.session;
        // By this it is looked for, should the answer to its commit be lost.
        let anew = touched::encode(&Touched::everything());
        session.execute(commits::ADD, params![self.id, "store copy", anew, false])?;
        // Numbers go on behind those that were filled in.
        session.one(
            "SELECT setval(pg_get_serial_sequence('failure_closed', 'number'),
                coalesce(max(number), 1), max(number) IS NOT NULL) FROM failure_closed",
            params![],
            |_| Ok(()),
        )?;
        // Else the first plans are made for tables that are empty.
        let names: Vec<_> = tables.iter().map(Table::name).collect();
        self.session.batch(&format!("ANALYZE {}", names.join(", ")))
    }

    /// Commits, and finds out what became of it where that is not told.
    ///
    /// # Errors
    /// When nothing is kept, or that could not be found out.
    pub(in crate::store) fn commit(self) -> Result<(), Uncommitted> {
        let Self { way, session, id } = self;
        match session.commit() {
            Ok(()) => Ok(()),
            Err(_) if !session.is_open() => way.find_filling(&id),
            Err(error) => Err(Uncommitted::Nothing(error)),
        }
    }
}

impl Way {
    /// As [`Postgres::look_up`](super::Postgres) does for a group.
    fn find_filling(&self, id: &str) -> Result<(), Uncommitted> {
        let limit = self.limits.look_up * LOOK_UPS;
        match commits::find_out(limit, || self.has_filling(id)) {
            Some(true) => Ok(()),
            Some(false) => {
                let why = "the connection was lost before the commit";
                let error = SqlError::new(SqlErrorKind::Unreachable, why);
                Err(Uncommitted::Nothing(error.into()))
            }
            None => Err(Uncommitted::Unknown),
        }
    }

    /// Whether a filling took place; where it did, makes sure that it lasts.
    ///
    /// Where it made the tables, nobody else sees those, and their lock, before its end. So that
    /// end is waited for by the lock of the schema, which it took first. And the look-up writes and
    /// commits, so that the standby has the filling when this returns.
    fn has_filling(&self, id: &str) -> Result<bool, StoreError> {
        let session = self.connect()?;
        schema::begin_bounded(&session, self.server.commit_level())?;
        let sql: &dyn Connection = &session;
        let (is_standby, has_log) = sql.one(
            "SELECT pg_is_in_recovery(), to_regclass('commit_log') IS NOT NULL",
            &[],
            |row| Ok((row.get::<bool>(0)?, row.get::<bool>(1)?)),
        )?;
        if is_standby {
            // Locks of the primary are not held there, so that what is missing may still come.
            let why = "it takes no writes: it is a standby";
            return Err(SqlError::new(SqlErrorKind::ReadOnly, why).into());
        }
        if !has_log {
            return Ok(false);
        }
        let found = commits::confirm_commit(&session, id)?;
        session.commit()?;
        Ok(found)
    }
}
