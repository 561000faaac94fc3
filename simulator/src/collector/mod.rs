//! A collector for OTLP logs, over HTTP and gRPC, that keeps what it gets and
//! fails on demand.

mod grpc;
mod http;
mod record;
mod refusal;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::simulator::StartError;

pub use record::Record;
pub use refusal::Refusal;

/// A running collector; dropping it stops it.
#[derive(Debug)]
pub struct Collector {
    shelf: Arc<Shelf>,
    addresses: Addresses,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Where a collector listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    http: SocketAddr,
    grpc: SocketAddr,
}

/// What came, and what is refused.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    records: Mutex<Vec<Record>>,
    refusals: Mutex<Vec<Refusal>>,
}

impl Shelf {
    /// The answer to a batch; without a refusal, its records are kept.
    pub(crate) fn take(&self, request: &ExportLogsServiceRequest) -> Option<Refusal> {
        let records = record::records(request);
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refusals.iter().find(|refusal| refusal.concerns(&records)).cloned();
        if let Some(refusal) = &refusal
            && !refusal.lasts()
            && let Some(position) = refusals.iter().position(|other| other == refusal)
        {
            refusals.remove(position);
        }
        if refusal.is_none() {
            self.records.lock().unwrap_or_else(PoisonError::into_inner).extend(records);
        }
        refusal
    }
}

impl Collector {
    /// Starts on free ports of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self, StartError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (http, http_address) = bind(any).await?;
        let (grpc, grpc_address) = bind(any).await?;
        let shelf = Arc::new(Shelf::default());
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(http::serve(http, shelf.clone(), stop.clone())),
            tokio::spawn(grpc::serve(grpc, shelf.clone(), stop.clone())),
        ];
        let addresses = Addresses { http: http_address, grpc: grpc_address };
        Ok(Self { shelf, addresses, stop, tasks })
    }

    /// The endpoint for OTLP over HTTP, without the path `/v1/logs`.
    #[must_use]
    pub fn http_endpoint(&self) -> String {
        format!("http://{}", self.addresses.http)
    }

    /// The endpoint for OTLP over gRPC.
    #[must_use]
    pub fn grpc_endpoint(&self) -> String {
        format!("http://{}", self.addresses.grpc)
    }

    /// Everything that was taken, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.records_from(0)
    }

    /// What was taken after the first `position` records, in order. Whoever asks again
    /// and again adds what it got to its position, and copies each record once.
    #[must_use]
    pub fn records_from(&self, position: usize) -> Vec<Record> {
        let records = self.shelf.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(position..).unwrap_or_default().to_vec()
    }

    /// Refuses from now on.
    pub fn refuse(&self, refusal: Refusal) {
        self.shelf.refusals.lock().unwrap_or_else(PoisonError::into_inner).push(refusal);
    }

    /// Refuses nothing any more.
    pub fn accept(&self) {
        self.shelf.refusals.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Stops listening.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop.cancel();
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let fails = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(fails)?;
    let bound = listener.local_addr().map_err(fails)?;
    Ok((listener, bound))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

    use super::*;

    #[tokio::test]
    async fn records_are_handed_out_from_a_position_on() {
        let collector = Collector::start().await.unwrap();
        let names = |position| -> Vec<_> {
            let records = collector.records_from(position);
            records.iter().map(|record| record.event_name().to_owned()).collect()
        };
        for name in ["first", "second"] {
            let record = LogRecord { event_name: name.to_owned(), ..LogRecord::default() };
            let scope = ScopeLogs { log_records: vec![record], ..ScopeLogs::default() };
            let logs = ResourceLogs { scope_logs: vec![scope], ..ResourceLogs::default() };
            collector.shelf.take(&ExportLogsServiceRequest { resource_logs: vec![logs] });
        }
        assert_eq!(
            (names(0), names(1)),
            (vec!["first".into(), "second".into()], vec!["second".into()])
        );
        assert!(names(2).is_empty() && names(3).is_empty());
    }
}
