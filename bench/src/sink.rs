//! An OTLP/HTTP collector that stores nothing: it counts the records and answers.
//!
//! `GET /` reports what came so far as JSON.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::header,
    response::IntoResponse,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::Result;

/// What the sink received.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) requests: u64,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Records of the first request: they were sent before the time between begins.
    pub(crate) first_records: u64,
    /// Seconds between the first and the last request.
    pub(crate) seconds: f64,
}

#[derive(Default)]
struct Counts {
    received: Received,
    first_at: Option<Instant>,
}

type Sink = Arc<Mutex<Counts>>;

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr) -> Result<()> {
    let router = Router::new()
        .route("/v1/logs", post(take))
        .route("/", get(report))
        .layer(DefaultBodyLimit::disable())
        .with_state(Sink::default());
    Ok(axum::serve(TcpListener::bind(listen).await?, router).await?)
}

/// An empty `ExportLogsServiceResponse` is no bytes at all.
async fn take(State(sink): State<Sink>, body: Bytes) -> impl IntoResponse {
    let records = count_records(&body).unwrap_or_default();
    if let Ok(mut counts) = sink.lock() {
        let first_at = *counts.first_at.get_or_insert_with(Instant::now);
        let received = &mut counts.received;
        if received.requests == 0 {
            received.first_records = records;
        }
        received.requests += 1;
        received.records += records;
        received.bytes += body.len() as u64;
        received.seconds = first_at.elapsed().as_secs_f64();
    }
    ([(header::CONTENT_TYPE, "application/x-protobuf")], Bytes::new())
}

async fn report(State(sink): State<Sink>) -> Json<Received> {
    Json(sink.lock().map(|counts| counts.received.clone()).unwrap_or_default())
}

/// Counts the records of an `ExportLogsServiceRequest` without decoding them:
/// `resource_logs` (field 1), in it `scope_logs` (2), in it `log_records` (2).
/// `None` when the bytes are no such message.
fn count_records(request: &[u8]) -> Option<u64> {
    let mut count = 0;
    each_field(request, 1, &mut |resource| {
        each_field(resource, 2, &mut |scope| {
            each_field(scope, 2, &mut |_| {
                count += 1;
                Some(())
            })
        })
    })?;
    Some(count)
}

/// Calls `visit` with each length-delimited field of this number.
fn each_field(
    mut message: &[u8],
    number: u64,
    visit: &mut dyn FnMut(&[u8]) -> Option<()>,
) -> Option<()> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        match tag & 7 {
            0 => {
                varint(&mut message)?;
            }
            1 => message = message.get(8..)?,
            5 => message = message.get(4..)?,
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let field = message.get(..length)?;
                message = message.get(length..)?;
                if tag >> 3 == number {
                    visit(field)?;
                }
            }
            _ => return None,
        }
    }
    Some(())
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_over_scopes_and_resources() {
        // Two records in one scope; beside it a field of another number, and a second resource.
        let scope = [0x0a, 1, 9, 0x12, 2, 0x08, 1, 0x12, 0];
        let mut resource = vec![0x0a, 0, 0x12, 9];
        resource.extend(scope);
        let mut request = vec![0x0a, 13];
        request.extend(&resource);
        request.extend([0x0a, 13]);
        request.extend(&resource);
        assert_eq!(count_records(&request), Some(4));
        assert_eq!(count_records(b""), Some(0));
        assert_eq!(count_records(&request[..10]), None);
    }
}
