//! Rows in PostgreSQL.
//!
//! Several replicas of the exporter share one database. What an engine promises holds over all of
//! them by the lock on the one row of `head`, which every group takes first: so the numbers of
//! events are in the order of commits, decisions are made on the newest state, and a delivery
//! that two replicas take is counted once.
//!
//! Nothing is kept in a session of the server between two transactions, and no statement is
//! prepared by name, so that a pool such as `PgBouncer` may stand between.

mod ahead;
mod bulk;
mod commits;
mod examine;
mod failure;
mod filling;
mod follow;
mod io;
mod lease;
mod limits;
mod notices;
mod preamble;
mod replica;
mod rows;
mod running;
mod schema;
mod sending;
mod server;
mod session;
mod statistics;
mod text;
mod vacuum;
mod value;

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

pub use examine::{Examination, Tables};
pub(in crate::store) use filling::{Filling, Snapshot, Uncommitted};
pub use follow::Sight;
pub(in crate::store) use follow::{Audience, Follower};
pub(in crate::store) use lease::Lease;
pub(in crate::store) use limits::Limits;
pub(in crate::store) use replica::Replica;
pub use server::Server;
pub(in crate::store) use value::text as storable_text;

use super::{
    StoreError,
    engine::{Engine, Erased, Erasure, Place, Sweep},
    erase, load, save,
    sql::{Connection, params},
    sweep,
    uid::Uids,
};
use crate::ledger::{Counts, Diff, Facts, Head, Keys, Touched};
use io::Io;
use session::Session;
use text::Texts;

/// Users for whose rows the questions of a group are foreseen. Those of a larger group cost more
/// than the round trips, and their answers are better not held beside what is made of them.
const FORESEEN_USERS: usize = 2_000;

/// What opens connections to a server, and shares among them what they can share.
#[derive(Debug, Clone)]
pub(in crate::store) struct Way {
    server: Arc<Server>,
    io: Io,
    texts: Arc<Texts>,
    limits: Limits,
}

impl Way {
    /// Prepares to connect; connects to nothing yet.
    pub(in crate::store) fn new(server: Server) -> Result<Self, StoreError> {
        let io = Io::start().map_err(|error| failure::no_thread(&error))?;
        let limits = Limits { connect: server.connect_limit(), ..Limits::default() };
        Ok(Self { server: Arc::new(server), io, texts: Arc::default(), limits })
    }

    /// The same with other limits, which a test can wait for.
    #[cfg(test)]
    pub(in crate::store) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn connect(&self) -> Result<Session, StoreError> {
        Session::connect(self, self.limits)
    }

    /// The same, with a limit for whatever the server does.
    fn connect_within(&self, limit: Duration) -> Result<Session, StoreError> {
        Session::connect(self, Limits::all(limit))
    }

    /// A connection that reads a schema of this exporter's version.
    pub(in crate::store) fn reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(self.connect()?))
    }

    /// The same, where it is not known whether there is such a schema.
    pub(in crate::store) fn checked_reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        let session = self.connect()?;
        session.begin_reading()?;
        let checked = schema::check(&session, &self.server);
        session.end_reading()?;
        checked?;
        Ok(Box::new(session))
    }
}

/// The connection that writes.
#[derive(Debug)]
pub(in crate::store) struct Postgres {
    way: Way,
    session: Option<Session>,
    /// Who writes, among the replicas.
    replica: Replica,
    /// The fence of the transaction that was begun last.
    fence: i64,
    /// Commits of this process.
    commits: usize,
    uids: Uids,
}

impl Postgres {
    /// Connects, and makes the schema when there is none. One of an older version is upgraded
    /// when `upgrade` says so, and else refused. Returns the version that it had, 0 when it is new.
    pub(in crate::store) fn open(way: &Way, upgrade: bool) -> Result<(Self, usize), StoreError> {
        let session = way.connect()?;
        let version = schema::migrate(&session, &way.server, upgrade)?;
        let engine = Self {
            way: way.clone(),
            session: Some(session),
            replica: Replica::new(),
            fence: 0,
            commits: 0,
            uids: Uids::new(),
        };
        Ok((engine, version))
    }

    /// The session, a new one where the last one was lost.
    fn connect_if_lost(&mut self) -> Result<&Session, StoreError> {
        if !self.session.as_ref().is_some_and(Session::is_open) {
            self.session = None;
        }
        match &mut self.session {
            Some(session) => Ok(session),
            none => Ok(none.insert(self.way.connect()?)),
        }
    }

    fn session(&self) -> Result<&Session, StoreError> {
        self.session.as_ref().ok_or_else(failure::connection_abandoned)
    }

    /// Begins a transaction that writes, over a new connection where the old one is of no use.
    fn begin_writing(&mut self) -> Result<&Session, StoreError> {
        let level = self.way.server.commit_level();
        let begun = match self.connect_if_lost()?.begin_writing(level) {
            Ok(begun) => begun,
            Err(error) if self.session()?.is_open() => {
                self.roll_back();
                // It may be a standby by now: the next try looks for the primary.
                if error.is_read_only() {
                    self.session = None;
                }
                return Err(error);
            }
            // A server that was started again closed it; it may not be known before it is used.
            Err(_) => {
                self.session = None;
                self.connect_if_lost()?.begin_writing(level)?
            }
        };
        self.fence = begun.fence;
        if let Err(error) = schema::check_known(begun.schema_version, &self.way.server) {
            self.roll_back();
            return Err(error);
        }
        self.session()
    }

    /// Commits what was begun, and finds out what became of it where that is not told.
    fn commit_as(&mut self, touched: &Touched, is_erasure: bool) -> Result<(), StoreError> {
        let id = Uuid::now_v7().simple().to_string();
        let touched = crate::store::row::touched::encode(touched);
        self.session()?.send(commits::ADD, params![id, self.replica.id(), touched, is_erasure])?;
        if is_erasure {
            // What was touched names people. Who did not read it yet reads everything anew; the ids
            // stay for whoever looks for a commit of its own.
            let sql = "UPDATE commit_log SET touched = ?1
                WHERE number < (SELECT commits FROM head) AND touched <> ?1";
            self.session()?.send(sql, params![touched])?;
        }
        if self.commits % commits::SWEEP_EVERY == commits::SWEEP_EVERY - 1 {
            self.session()?.send(commits::SWEEP, params![4 * commits::SWEEP_EVERY])?;
        }
        let committed = self.session()?.commit();
        match committed {
            Err(_) if !self.session()?.is_open() => {
                let found = self.look_up(&id);
                if found.is_err() {
                    self.replica.renew_id();
                }
                found
            }
            committed => committed,
        }
        .inspect(|()| self.replica.note_commit())
    }
}

impl Postgres {
    fn sweep_rows(&self, rule: &Sweep, limit: usize) -> Result<usize, StoreError> {
        if rule.fence.is_some_and(|fence| fence != self.fence) {
            return Err(StoreError::NotLeader);
        }
        let session = self.session()?;
        let removed = sweep::sweep(session, rule, limit)?;
        let removed = removed + session.execute(commits::SWEEP, params![limit])?;
        session.commit()?;
        Ok(removed)
    }

    /// Who writes, among the replicas.
    pub(in crate::store) fn replica(&self) -> &Replica {
        &self.replica
    }
}

impl Engine for Postgres {
    fn begin(&mut self) -> Result<(Head, Counts), StoreError> {
        load::head(self.begin_writing()?)
    }

    fn fence(&self) -> i64 {
        self.fence
    }

    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError> {
        let session = self.session()?;
        if keys.failures_of.len() <= FORESEEN_USERS {
            let mut scratch = Facts::new(Head::default(), Counts::default());
            // Without rows it may end early; the second time tells what is wrong, if something is.
            session.rehearse(&mut || {
                let _ = load::load(session, keys, &mut scratch);
            });
        }
        let loaded = load::load(session, keys, facts).and_then(|()| session.settle());
        session.forget_ahead();
        loaded
    }

    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError> {
        let session = self.session.as_ref().ok_or_else(failure::connection_abandoned)?;
        save::save(session, &self.uids, diff)
    }

    fn commit(&mut self, touched: &Touched) -> Result<(), StoreError> {
        self.commit_as(touched, false)?;
        self.count_commit();
        Ok(())
    }

    fn roll_back(&mut self) {
        if let Some(session) = &self.session {
            session.roll_back();
        }
    }

    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError> {
        self.begin_writing()?;
        let swept = self.sweep_rows(rule, limit);
        if swept.is_err() {
            self.roll_back();
        }
        swept
    }

    fn erase(&mut self, erasure: &Erasure) -> Result<Erased, StoreError> {
        match erasure.place {
            // The server's tables are vacuumed beside what is committed: see [`Way::vacuum`].
            Place::Files | Place::Log => return Ok(Erased::default()),
            _ => {}
        }
        self.begin_writing()?;
        let session = self.session.as_ref().ok_or_else(failure::connection_abandoned)?;
        let erased = erase::erase(session, erasure);
        let ended = match erased {
            Ok(erased) if erasure.is_trial => {
                self.roll_back();
                return Ok(erased);
            }
            Ok(erased) => {
                let anew = Touched::everything();
                self.commit_as(&anew, true).map(|()| erased)
            }
            Err(error) => Err(error),
        };
        if ended.is_err() {
            self.roll_back();
        }
        ended
    }

    fn close(&mut self) {
        self.session = None;
    }
}
