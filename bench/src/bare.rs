//! A durable receiver that does as little as possible: the reference for the exporter.
//!
//! It parses the envelope's id, the check and the logins, and writes one row for the delivery
//! (with its body, so that what was acknowledged is kept) and one for each failure. One thread
//! owns the connection. With `largest_group` 1 each delivery is a commit of its own; otherwise
//! whatever waits is committed together. It decides nothing, shows nothing and sends nothing.

use std::{net::SocketAddr, path::Path, sync::mpsc};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use rusqlite::{Connection, params};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::oneshot};

use crate::Result;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE delivery (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE failure (number INTEGER PRIMARY KEY, check_id TEXT NOT NULL, login TEXT NOT NULL,
                          delivery TEXT NOT NULL) STRICT;";

#[derive(Deserialize)]
struct Envelope {
    id: String,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    check_id: String,
    users_failing: Vec<String>,
}

struct Job {
    envelope: Envelope,
    body: Bytes,
    committed: oneshot::Sender<()>,
}

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, file: &Path, largest_group: usize) -> Result<()> {
    let connection = Connection::open(file)?;
    connection.execute_batch(SCHEMA)?;
    let (jobs, queue) = mpsc::channel();
    std::thread::spawn(move || {
        if let Err(error) = write(connection, &queue, largest_group) {
            eprintln!("the bare program cannot write: {error}");
            std::process::exit(1);
        }
    });
    let router = Router::new().route("/", post(receive)).with_state(jobs);
    Ok(axum::serve(TcpListener::bind(listen).await?, router).await?)
}

async fn receive(State(jobs): State<mpsc::Sender<Job>>, body: Bytes) -> StatusCode {
    let Ok(envelope) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    let (committed, answer) = oneshot::channel();
    if jobs.send(Job { envelope, body, committed }).is_err() || answer.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

fn write(
    mut connection: Connection,
    queue: &mpsc::Receiver<Job>,
    largest_group: usize,
) -> rusqlite::Result<()> {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(largest_group - 1));
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
        for job in group {
            // A client that disconnected gets no answer; its rows stay.
            let _ = job.committed.send(());
        }
    }
    Ok(())
}
