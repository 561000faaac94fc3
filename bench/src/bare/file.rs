//! The bare program over SQLite.
//!
//! It writes one row for the delivery (with its body, so that what was acknowledged is kept) and
//! one for each failure. One thread owns the connection. With a commit each, each delivery is a
//! commit of its own; otherwise whatever waits is committed together.

use std::{net::SocketAddr, path::Path};

use rusqlite::{Connection, params};
use tokio::sync::mpsc;

use super::{Job, LARGEST_GROUP, WAITING, give_up, receive_at};
use crate::Result;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE delivery (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE failure (number INTEGER PRIMARY KEY, check_id TEXT NOT NULL, login TEXT NOT NULL,
                          delivery TEXT NOT NULL) STRICT;";

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, file: &Path, commits_each: bool) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(SCHEMA)?;
    let (jobs, queue) = mpsc::channel(WAITING);
    let largest_group = if commits_each { 1 } else { LARGEST_GROUP };
    std::thread::spawn(move || {
        if let Err(error) = write(connection, queue, largest_group) {
            give_up(&error);
        }
    });
    receive_at(listen, jobs).await
}

fn write(
    mut connection: Connection,
    mut queue: mpsc::Receiver<Job>,
    largest_group: usize,
) -> rusqlite::Result<()> {
    let mut group = Vec::new();
    while queue.blocking_recv_many(&mut group, largest_group) > 0 {
        let transaction = connection.transaction()?;
        {
            let mut delivery = transaction
                .prepare_cached("INSERT OR IGNORE INTO delivery (id, body) VALUES (?, ?)")?;
            let mut failure = transaction.prepare_cached(
                "INSERT INTO failure (check_id, login, delivery) VALUES (?, ?, ?)",
            )?;
            for Job { envelope, body, .. } in &group {
                delivery.execute(params![envelope.id, &body[..]])?;
                for login in &envelope.detail.users_failing {
                    failure.execute(params![envelope.detail.check_id, login, envelope.id])?;
                }
            }
        }
        transaction.commit()?;
        group.drain(..).for_each(Job::answer);
    }
    Ok(())
}
