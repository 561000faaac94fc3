//! The engine that stores rows in PostgreSQL.
//!
//! Several replicas of the exporter can share one database. The guarantees of an engine hold over
//! all of them because of the lock on the single row of `head`, which every group takes first. So
//! the numbers of events are in the order of commits, decisions use the newest state, and a
//! delivery that two replicas receive is counted once.
//!
//! No session state is kept between two transactions, and no statement is prepared by name, so that
//! a pool such as `PgBouncer` can be used.

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
mod standby_waits;
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
    under_way::UnderWay,
};
use crate::ledger::{Counts, Diff, Facts, Head, Keys, Touched};
use io::Io;
use session::Session;
use text::Texts;

/// The maximum number of users for whose rows the queries of a group are sent ahead. For a larger
/// group, round trips are cheap compared with the queries, and the answers should not stay in
/// memory together with the rows made of them.
const FORESEEN_USERS: usize = 2_000;

/// Opens connections to a server, and shares between them what can be shared.
#[derive(Debug, Clone)]
pub(in crate::store) struct Way {
    server: Arc<Server>,
    io: Io,
    texts: Arc<Texts>,
    limits: Limits,
}

impl Way {
    /// Prepares connections without opening one.
    pub(in crate::store) fn new(server: Server) -> Result<Self, StoreError> {
        let io = Io::start().map_err(|error| failure::no_thread(&error))?;
        let limits = Limits { connect: server.connect_limit(), ..Limits::default() };
        Ok(Self { server: Arc::new(server), io, texts: Arc::default(), limits })
    }

    /// Replaces the limits, for tests that wait for them.
    #[cfg(test)]
    pub(in crate::store) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn connect(&self) -> Result<Session, StoreError> {
        Session::connect(self, self.limits)
    }

    /// Connects with the same limit for everything.
    fn connect_within(&self, limit: Duration) -> Result<Session, StoreError> {
        Session::connect(self, Limits::all(limit))
    }

    /// A connection for reading a schema that is known to have this exporter's version.
    pub(in crate::store) fn reader(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(self.connect()?))
    }

    /// A connection for reading a schema whose version is checked first.
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
    /// This process among the replicas.
    replica: Replica,
    /// The fence that the last transaction read at its begin.
    fence: i64,
    /// The number of commits of this process.
    commits: usize,
    uids: Uids,
    /// What each answer of the server restarts.
    under_way: UnderWay,
}

impl Postgres {
    /// Connects, and creates the schema if there is none. An older one is upgraded if `upgrade` is
    /// set, and refused otherwise. Returns the version that it had, 0 when it is new.
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
            under_way: UnderWay::default(),
        };
        Ok((engine, version))
    }

    /// The session; a new one when the last one was lost.
    fn connect_if_lost(&mut self) -> Result<&Session, StoreError> {
        if !self.session.as_ref().is_some_and(Session::is_open) {
            self.session = None;
        }
        match &mut self.session {
            Some(session) => Ok(session),
            none => {
                let mut session = self.way.connect()?;
                session.under_way = self.under_way.clone();
                Ok(none.insert(session))
            }
        }
    }

    fn session(&self) -> Result<&Session, StoreError> {
        self.session.as_ref().ok_or_else(failure::connection_abandoned)
    }

    /// Begins a transaction that writes, on a new connection if the old one cannot be used.
    fn begin_writing(&mut self) -> Result<&Session, StoreError> {
        let level = self.way.server.commit_level();
        let begun = match self.connect_if_lost()?.begin_writing(level) {
            Ok(begun) => begun,
            Err(error) if self.session()?.is_open() => {
                self.roll_back();
                // The host may have become a standby: the next attempt looks for the primary.
                if error.is_read_only() {
                    self.session = None;
                }
                return Err(error);
            }
            // A restarted server closed the connection, which shows only when it is used.
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

    /// Commits the transaction, and looks the commit up when its answer is lost.
    fn commit_as(&mut self, touched: &Touched, is_erasure: bool) -> Result<(), StoreError> {
        let id = Uuid::now_v7().simple().to_string();
        let touched = crate::store::row::touched::encode(touched);
        self.session()?.send(commits::ADD, params![id, self.replica.id(), touched, is_erasure])?;
        if is_erasure {
            // What was touched names people. Replicas that have not read it yet read everything
            // again; the ids stay, so that a replica can still look up its own commit.
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

    /// This process among the replicas.
    pub(in crate::store) fn replica(&self) -> &Replica {
        &self.replica
    }
}

impl Engine for Postgres {
    fn report_answers(&mut self, under_way: UnderWay) {
        if let Some(session) = &mut self.session {
            session.under_way = under_way.clone();
        }
        self.under_way = under_way;
    }

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
            // The rehearsal has no rows and may fail early; the second run returns the real error.
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
            // The server's tables are vacuumed beside the commits: see [`Way::vacuum`].
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
