//! The engine that stores rows in one SQLite file.

mod checkpoint;
mod connection;
mod files;
mod fill;
mod footprint;
mod migrations;
mod statements;
mod whole;

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, TransactionBehavior};

pub(in crate::store) use connection::{
    give_to_owner_of_folder, lock, lock_file, open_ours, open_reader,
};
pub(in crate::store) use fill::NewFile;
pub(in crate::store) use migrations::check as check_version;
#[cfg(test)]
pub(in crate::store) use migrations::{make as make_version, migrate as make_newest};
pub(in crate::store) use whole::{copy, find_damage, find_damaged_pages};

use super::{
    StoreError,
    engine::{Engine, Erased, Erasure, Place, Sweep},
    erase, load, save, sweep,
    uid::Uids,
    under_way::UnderWay,
};
use crate::ledger::{Counts, Diff, Facts, Head, Keys, Touched};
use checkpoint::Checkpointer;
use footprint::Footprint;

/// Steps of SQLite's virtual machine, about a millisecond's worth, after which it tells that it goes
/// on: a disk that hangs makes none.
const STEPS_UNTIL_ANSWER: i32 = 50_000;

/// The connection that writes.
#[derive(Debug)]
pub(in crate::store) struct Sqlite {
    connection: Option<Connection>,
    footprint: Arc<Footprint>,
    checkpointer: Checkpointer,
    uids: Uids,
}

impl Sqlite {
    /// Opens the file, creating it if it does not exist. An older database is upgraded if `upgrade`
    /// is set, and refused otherwise. Returns the version that it had, 0 when it is new.
    pub(in crate::store) fn open(path: &Path, upgrade: bool) -> Result<(Self, usize), StoreError> {
        let mut connection = connection::open_writer(path)?;
        let version = migrations::version(&connection)?;
        if migrations::is_foreign(&connection, version)? {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        if version > 0 && !upgrade {
            migrations::check(&connection)?;
        }
        let is_upgraded = version > 0 && version < migrations::NEWEST;
        if is_upgraded {
            tracing::info!(
                from = version,
                to = migrations::NEWEST,
                "the database is brought up to date; a large one takes a minute"
            );
        }
        migrations::migrate(&mut connection)?;
        if is_upgraded {
            tracing::info!("the database is up to date");
        }
        let footprint = Arc::new(Footprint::of(path)?);
        let checkpointer = Checkpointer::of(&mut connection, path.to_owned(), footprint.clone())?;
        let connection = Some(connection);
        Ok((Self { connection, footprint, checkpointer, uids: Uids::new() }, version))
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::Closed)
    }

    /// Leaks a connection whose files are no longer those that it opened. Closing it would delete
    /// the log beside the file, even if another process wrote that log.
    fn abandon<T>(&mut self, error: StoreError) -> Result<T, StoreError> {
        self.checkpointer.abandon();
        std::mem::forget(self.connection.take());
        Err(error)
    }
}

impl Engine for Sqlite {
    fn report_answers(&mut self, under_way: UnderWay) {
        if let Some(connection) = &mut self.connection {
            let go_on = move || {
                under_way.restart();
                false
            };
            // It only fails on a connection that is closed.
            let _ = connection.progress_handler(STEPS_UNTIL_ANSWER, Some(go_on));
        }
    }

    fn begin(&mut self) -> Result<(Head, Counts), StoreError> {
        // Takes the write lock at once: upgrading a read transaction later could fail.
        self.connection()?.execute_batch("BEGIN IMMEDIATE")?;
        // While the lock is held, no process that follows SQLite's rules changes a file.
        if let Err(error) = self.footprint.check_untouched() {
            return self.abandon(error);
        }
        load::head(self.connection()?)
    }

    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError> {
        load::load(self.connection()?, keys, facts)
    }

    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError> {
        let connection = self.connection.as_mut().ok_or(StoreError::Closed)?;
        save::save(connection, &self.uids, diff)
    }

    fn commit(&mut self, _: &Touched) -> Result<(), StoreError> {
        let connection = self.connection()?;
        if connection.is_autocommit() {
            // SQLite rolled the whole transaction back: the disk is full or fails.
            return Err(StoreError::GivenUp);
        }
        connection.execute_batch("COMMIT")?;
        match self.footprint.record() {
            Ok(()) => Ok(()),
            Err(error) => self.abandon(error),
        }
    }

    /// Limits the length of the log.
    fn do_idle_work(&mut self) {
        if let Some(connection) = &self.connection
            && self.checkpointer.follow_commit(connection)
        {
            // The checkpoint wrote the database. Any other change is noticed by the next group.
            let _ = self.footprint.record();
        }
    }

    fn roll_back(&mut self) {
        if let Some(connection) = &self.connection
            && !connection.is_autocommit()
        {
            // It fails only when there is no transaction.
            let _ = connection.execute_batch("ROLLBACK");
        }
        // A large transaction writes before it ends. Any other change is noticed by the next group.
        let _ = self.footprint.record();
    }

    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError> {
        if let Err(error) = self.footprint.check_untouched() {
            return self.abandon(error);
        }
        let swept = sweep_rows(self.connection()?, rule, limit);
        match self.footprint.record() {
            Ok(()) => swept,
            Err(error) => self.abandon(error),
        }
    }

    fn erase(&mut self, erasure: &Erasure) -> Result<Erased, StoreError> {
        if let Err(error) = self.footprint.check_untouched() {
            return self.abandon(error);
        }
        let connection = self.connection.as_mut().ok_or(StoreError::Closed)?;
        let erased = erase_step(connection, erasure);
        match self.footprint.record() {
            Ok(()) => erased,
            Err(error) => self.abandon(error),
        }
    }

    fn close(&mut self) {
        self.checkpointer.close();
        // Leaves one file instead of three; the log is durable either way.
        if let Some(connection) = &self.connection {
            let _ = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
        }
    }
}

/// Sweeps in a transaction of its own.
fn sweep_rows(
    connection: &mut Connection,
    rule: &Sweep,
    limit: usize,
) -> Result<usize, StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let removed = sweep::sweep(&*tx, rule, limit)?;
    tx.commit()?;
    Ok(removed)
}

/// Does one step of an erasure in a transaction of its own.
fn erase_step(connection: &mut Connection, erasure: &Erasure) -> Result<Erased, StoreError> {
    match erasure.place {
        Place::Files => return files::rewrite(connection),
        Place::Log => return files::empty_log(connection),
        _ => {}
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let erased = erase::erase(&*tx, erasure)?;
    if erasure.is_trial {
        tx.rollback()?;
    } else {
        tx.commit()?;
    }
    Ok(erased)
}
