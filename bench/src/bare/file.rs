//! The bare program over SQLite.
//!
//! It writes one row for the delivery (with its body, so that what was acknowledged is kept) and
//! one for each failure; or the rows that the exporter writes. One thread owns the connection. With
//! a commit each, each delivery is a commit of its own; otherwise whatever waits is committed
//! together.

use std::{net::SocketAddr, path::Path};

use clap::ValueEnum;
use rusqlite::{Connection, Transaction, params};
use tokio::sync::mpsc;

use super::{Job, LARGEST_GROUP, WAITING, give_up, receive_at, same_rows};
use crate::Result;

/// A commit is on the disk when it returns, as with the exporter.
const DURABLE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

const SCHEMA: &str = "
    CREATE TABLE delivery (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE failure (number INTEGER PRIMARY KEY, check_id TEXT NOT NULL, login TEXT NOT NULL,
                          delivery TEXT NOT NULL) STRICT;";

/// What becomes of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// What waits is committed together
    Together,
    /// Each delivery is a commit of its own
    CommitEach,
    /// Together, and with the rows that the exporter writes, into a database that it made
    SameRows,
}

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, file: &Path, way: Way) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(DURABLE)?;
    let mut same = None;
    if way == Way::SameRows {
        // As the exporter has them.
        connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;")?;
        connection.set_prepared_statement_cache_capacity(64);
        same = Some(same_rows::OnFile::default());
    } else {
        connection.execute_batch(SCHEMA)?;
    }
    let (jobs, queue) = mpsc::channel(WAITING);
    let largest_group = if way == Way::CommitEach { 1 } else { LARGEST_GROUP };
    std::thread::spawn(move || {
        if let Err(error) = write(connection, queue, largest_group, same) {
            give_up(&error);
        }
    });
    receive_at(listen, jobs).await
}

fn write(
    mut connection: Connection,
    mut queue: mpsc::Receiver<Job>,
    largest_group: usize,
    mut same: Option<same_rows::OnFile>,
) -> rusqlite::Result<()> {
    let mut group = Vec::new();
    while queue.blocking_recv_many(&mut group, largest_group) > 0 {
        let transaction = connection.transaction()?;
        match &mut same {
            Some(same) => same.write(&transaction, &group)?,
            None => write_few(&transaction, &group)?,
        }
        transaction.commit()?;
        group.drain(..).for_each(Job::answer);
    }
    Ok(())
}

fn write_few(transaction: &Transaction<'_>, group: &[Job]) -> rusqlite::Result<()> {
    let mut delivery =
        transaction.prepare_cached("INSERT OR IGNORE INTO delivery (id, body) VALUES (?, ?)")?;
    let mut failure = transaction
        .prepare_cached("INSERT INTO failure (check_id, login, delivery) VALUES (?, ?, ?)")?;
    for Job { envelope, body, .. } in group {
        delivery.execute(params![envelope.id, &body[..]])?;
        for login in &envelope.detail.users_failing {
            failure.execute(params![envelope.detail.check_id, login, envelope.id])?;
        }
    }
    Ok(())
}
