//! The bare program over PostgreSQL: what the exporter is compared with there.
//!
//! As [`bare`](crate::bare), with a statement a table and group: `INSERT … SELECT FROM unnest(…)`.
//! Two groups of one process never meet, so that it takes no lock.

use std::net::SocketAddr;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_postgres::{Client, NoTls};

use crate::Result;

const SCHEMA: &str = "
    CREATE TABLE delivery (id text PRIMARY KEY, body bytea NOT NULL);
    CREATE TABLE failure (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                          check_id text NOT NULL, login text NOT NULL, delivery text NOT NULL);";

/// Deliveries of a group at most, as of the other bare program.
const LARGEST_GROUP: usize = 512;

/// Deliveries that may wait.
const WAITING: usize = 4096;

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
pub(crate) async fn serve(listen: SocketAddr, url: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(SCHEMA).await?;
    let (jobs, queue) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        if let Err(error) = write(&client, queue).await {
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
    if jobs.send(Job { envelope, body, committed }).await.is_err() || answer.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

async fn write(
    client: &Client,
    mut queue: mpsc::Receiver<Job>,
) -> Result<(), tokio_postgres::Error> {
    let delivery = client
        .prepare(
            "INSERT INTO delivery (id, body) SELECT * FROM unnest($1::text[], $2::bytea[])
             ON CONFLICT DO NOTHING",
        )
        .await?;
    let failure = client
        .prepare(
            "INSERT INTO failure (check_id, login, delivery)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[])",
        )
        .await?;
    let mut group = Vec::new();
    while queue.recv_many(&mut group, LARGEST_GROUP).await > 0 {
        let ids: Vec<_> = group.iter().map(|job| job.envelope.id.as_str()).collect();
        let bodies: Vec<_> = group.iter().map(|job| &job.body[..]).collect();
        let (mut checks, mut logins, mut deliveries) = (Vec::new(), Vec::new(), Vec::new());
        for Job { envelope, .. } in &group {
            for login in &envelope.detail.users_failing {
                checks.push(envelope.detail.check_id.as_str());
                logins.push(login.as_str());
                deliveries.push(envelope.id.as_str());
            }
        }
        client.batch_execute("BEGIN").await?;
        client.execute(&delivery, &[&ids, &bodies]).await?;
        client.execute(&failure, &[&checks, &logins, &deliveries]).await?;
        client.batch_execute("COMMIT").await?;
        for job in group.drain(..) {
            // A client that disconnected gets no answer; its rows stay.
            let _ = job.committed.send(());
        }
    }
    Ok(())
}
