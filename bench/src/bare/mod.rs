//! Durable receivers that do as little as possible: the references for the exporter.
//!
//! They parse the envelope's id, the check and the logins; they decide nothing, show nothing and
//! send nothing.

mod file;
mod same_rows;
mod server;

pub(crate) use file::{Way, serve as serve_file};
pub(crate) use server::serve as serve_server;

use std::net::SocketAddr;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use crate::Result;

/// Deliveries of a group at most.
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

/// A delivery that waits.
struct Job {
    envelope: Envelope,
    body: Bytes,
    committed: oneshot::Sender<()>,
}

impl Job {
    /// Answers the sender. One that disconnected gets no answer; its rows stay.
    fn answer(self) {
        let _ = self.committed.send(());
    }
}

/// Receives deliveries until the process is ended.
async fn receive_at(listen: SocketAddr, jobs: mpsc::Sender<Job>) -> Result<()> {
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

/// Ends the program: without what writes, nobody is answered.
fn give_up(error: &dyn std::fmt::Display) -> ! {
    eprintln!("the bare program cannot write: {error}");
    std::process::exit(1);
}
