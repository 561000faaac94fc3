//! Rows in one SQLite file.

mod connection;
mod load;
mod migrations;
mod save;
pub(in crate::store) mod shared;
mod sweep;

use std::path::Path;

use rusqlite::Connection;

pub(in crate::store) use connection::{lock, lock_file, open_reader};
pub(in crate::store) use migrations::check as check_version;
#[cfg(test)]
pub(in crate::store) use migrations::make as make_version;

use super::{
    StoreError,
    engine::{Engine, Sweep},
    row::body::Packer,
    uid::Uids,
};
use crate::ledger::{Counts, Diff, Facts, Head, Keys};

/// The connection that writes.
#[derive(Debug)]
pub(in crate::store) struct Sqlite {
    connection: Connection,
    packer: Packer,
    uids: Uids,
}

impl Sqlite {
    /// Opens the file, making it when it does not exist. A database of an older
    /// version is upgraded when `upgrade` says so, and else refused. Returns the
    /// version that it had, 0 when it is new.
    pub(in crate::store) fn open(path: &Path, upgrade: bool) -> Result<(Self, usize), StoreError> {
        let mut connection = connection::open_writer(path)?;
        let version = migrations::version(&connection)?;
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
        Ok((Self { connection, packer: Packer::new(), uids: Uids::new() }, version))
    }
}

impl Engine for Sqlite {
    fn begin(&mut self) -> Result<(Head, Counts), StoreError> {
        // Who writes takes the lock at once: a later upgrade of a reading transaction
        // could fail.
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        load::head(&self.connection)
    }

    fn load(&mut self, keys: &Keys, facts: &mut Facts) -> Result<(), StoreError> {
        load::load(&self.connection, keys, facts)
    }

    fn save(&mut self, diff: &Diff<'_>) -> Result<(), StoreError> {
        save::save(&self.connection, &mut self.packer, &self.uids, diff)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            // SQLite gave the whole transaction up: the disk is full or fails.
            return Err(StoreError::GivenUp);
        }
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() {
            // It can only fail when there is nothing left to give up.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn sweep(&mut self, rule: &Sweep, limit: usize) -> Result<usize, StoreError> {
        sweep::sweep(&mut self.connection, rule, limit)
    }

    fn close(&mut self) {
        // Leaves one file instead of three behind; the log is safe either way.
        let _ = self.connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
    }
}
