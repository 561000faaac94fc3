//! Reads or fills a whole database on a server, in a transaction of many minutes.

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

/// The limit of one statement, or of the commit with its standby. It is far longer than a group's,
/// because a count or an index reads all rows, and a standby has to receive them all.
const PATIENCE: Duration = Duration::from_mins(10);

/// The time to find out whether the commit took place, as a multiple of a group's: no delivery
/// waits for it, and a failover may take half a minute.
const LOOK_UPS: u32 = 6;

/// The name of the lease's holder.
const HOLDER: &str = "SELECT coalesce(name, '') FROM lease
    WHERE holder IS NOT NULL AND expires_at > clock_timestamp()";

/// A connection that reads a whole database as it is at one moment, while replicas run.
#[derive(Debug)]
pub(in crate::store) struct Snapshot(Box<Session>);

/// A transaction that fills an empty database, and creates the tables if there are none. Dropping
/// it before its commit removes everything.
#[derive(Debug)]
pub(in crate::store) struct Filling {
    way: Way,
    session: Session,
    /// The id under which its commit is looked up.
    id: String,
}

/// Why a filling is not known to be committed.
#[derive(Debug)]
pub(in crate::store) enum Uncommitted {
    /// Nothing was committed.
    Nothing(StoreError),
    /// It could not be found out whether it was committed and is durable.
    Unknown,
}

impl Way {
    /// Begins to read a database of this exporter's version.
    pub(in crate::store) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let session = self.connect_patiently()?;
        session.begin_reading()?;
        // The transaction waits for the other side, which may take longer than the server's own
        // limit.
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
        // Its statements have the limits of those that create a schema, and so has its wait for the
        // other side.
        schema::begin(&session, &self.server)?;
        // The lock that every group takes: it is exclusive, and prevents another replica from
        // taking the lease.
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
    /// The connection that runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &*self.0
    }

    /// The name of the leader; none when no replica runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&*self.0)
    }
}

impl Filling {
    /// The connection that runs statements.
    pub(in crate::store) fn sql(&self) -> &dyn Connection {
        &self.session
    }

    /// The name of the leader; none when no replica runs.
    pub(in crate::store) fn holder(&self) -> Result<Option<String>, StoreError> {
        holder(&self.session)
    }

    /// Does the remaining work after all rows are written.
    pub(in crate::store) fn finish(&self, tables: &[Table]) -> Result<(), StoreError> {
        let session: &dyn Connection = &self.session;
        // The commit is looked up by this entry if its answer is lost.
        let anew = touched::encode(&Touched::everything());
        session.execute(commits::ADD, params![self.id, "store copy", anew, false])?;
        // Identity columns continue after the numbers that were written.
        session.one(
            "SELECT setval(pg_get_serial_sequence('failure_closed', 'number'),
                coalesce(max(number), 1), max(number) IS NOT NULL) FROM failure_closed",
            params![],
            |_| Ok(()),
        )?;
        // Without statistics, the first plans would assume empty tables.
        let names: Vec<_> = tables.iter().map(Table::name).collect();
        self.session.batch(&format!("ANALYZE {}", names.join(", ")))
    }

    /// Commits, and looks the commit up when its answer is lost.
    ///
    /// # Errors
    /// When nothing was committed, or that could not be found out.
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
    /// Looks the filling up, as [`Postgres::look_up`](super::Postgres) does for a group.
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

    /// Whether a filling took place; if it did, makes sure that it is durable.
    ///
    /// If it created the tables, no other transaction sees them, or their lock, before its end. So
    /// that end is waited for with the lock of the schema, which it took first. The look-up writes
    /// and commits, so that the standby has the filling when this returns.
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
            // A standby does not hold the primary's locks, so a missing entry may still arrive.
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
