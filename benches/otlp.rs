//! The delivery over OTLP, and its parts.
//!
//! `cargo bench --bench otlp`. The sink reads what it is sent and stores nothing. It runs
//! in this process and takes CPU from what is measured.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to end")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::StatusCode, routing::post};
use cii_exporter::{
    config::{Config, Environment},
    delivery::{Courier, Meters, Origin, Outages, Sender},
    domain::{
        CheckDefinition, CheckId, Delivery, DeliveryKind, FailingUser, Login, ReportedCheck,
        Severity, Timestamp, WatchPolicy,
    },
    ledger::change::{AnswerRules, RecordDelivery},
    store::{BatchLimit, Reader, Store},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
    logs_service_server::{LogsService, LogsServiceServer},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Server, TcpIncoming};

/// Users that each delivery names; each makes one event.
const USERS: usize = 5_000;

const DELIVERIES: usize = 20;

/// Events that are read in one go.
const READ: usize = 1_024;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_323_700 + second, 0).unwrap()
}

/// A delivery as the service sends it; each is about a check of its own, so that every
/// user it names is an event.
fn delivery(number: usize) -> RecordDelivery {
    let definition = CheckDefinition {
        title: format!("No MFA configured for privileged users ({number})"),
        severity: Severity::new(Some("critical")),
        description: vec!["Finds users without a second factor.".to_owned()],
        recommended_actions: vec!["Ask them to enroll one.".to_owned()],
        ..CheckDefinition::undefined(&CheckId::new("no-mfa").unwrap())
    }
    .with_dates(true, at(0));
    let failing = (0..USERS).map(|user| FailingUser {
        login: Login::new(&format!("user.number.{user}@example.com")).unwrap(),
        explanation: Some(r#"{"reason":"no factor is enrolled","since":"2026-01-01"}"#.to_owned()),
    });
    RecordDelivery {
        delivery: Delivery {
            id: format!("7f1c5d3e-0000-4000-8000-{number:012}"),
            kind: DeliveryKind::FailedCheck,
            detail_type: "FAILED_CHECK".to_owned(),
            received_at: at(20),
            sent_at: Some(at(10)),
            published_at: Some(at(10)),
            source: Some("4b1f7c52-6d3a-4a87-9a5e-2f0d6c1b8e93__20260102".to_owned()),
            account: Some("123456789012".to_owned()),
            region: Some("eu-central-1".to_owned()),
            check: Some(ReportedCheck {
                id: CheckId::new(&format!("check-{number}")).unwrap(),
                definition,
            }),
            failing: failing.collect(),
            ..Delivery::default()
        },
        body: b"{}".to_vec().into(),
        admitted: true,
        policy: WatchPolicy { failing_users: false, max_users: 0, max_ips: 1000 },
        recorded_at: at(20),
        replays: None,
        answers: AnswerRules { has_api: true, settle: chrono::TimeDelta::minutes(15) },
    }
}

/// A database with events that wait, in a folder that goes with the value.
struct Filled {
    folder: TempDir,
    runtime: Runtime,
    events: u64,
}

impl Filled {
    fn new() -> Self {
        let (folder, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
        let file = folder.path().join("filled.db");
        let events = runtime.block_on(async {
            let (store, writer) = Store::open(&file).unwrap();
            for number in 0..DELIVERIES {
                store.commit(delivery(number)).await.unwrap();
            }
            let events = store.read(Reader::otlp_backlog).await.unwrap().pending;
            drop(store);
            writer.stop().await;
            events
        });
        Self { folder, runtime, events }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("filled.db")
    }

    /// Delivers everything from the first event on; how long that took.
    fn deliver(&self, protocol: &str, sink: SocketAddr) -> Duration {
        let copy = self.folder.path().join("copy.db");
        std::fs::copy(self.file(), &copy).unwrap();
        let took = self.runtime.block_on(deliver(&copy, protocol, sink));
        std::fs::remove_file(copy).unwrap();
        took
    }
}

async fn deliver(file: &Path, protocol: &str, sink: SocketAddr) -> Duration {
    let (store, writer) = Store::open(file).unwrap();
    let last = store.read(Reader::last_seq).await.unwrap();
    let text = format!(
        "[webhook]\nsecrets = [\"s\"]\n\
         [otlp]\nendpoint = \"http://{sink}\"\nprotocol = {protocol:?}\n"
    );
    let config = Config::from_text("", &text, &Environment::default()).unwrap();
    let sender = Sender::new(
        &config.otlp.unwrap(),
        Origin { instance_id: store.id().to_owned(), ..Origin::default() },
    )
    .unwrap();
    let courier = Courier::new(store.clone(), sender, Meters::new().unwrap(), Outages::default());
    let stop = CancellationToken::new();
    let begun = Instant::now();
    let running = tokio::spawn(courier.run(stop.clone()));
    while store.read(Reader::otlp_cursor).await.unwrap() < last {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = begun.elapsed();
    stop.cancel();
    running.await.unwrap().unwrap();
    drop(store);
    writer.stop().await;
    took
}

/// A receiver over HTTP that drops what it reads.
async fn http_sink() -> SocketAddr {
    let router = Router::new().route(
        "/v1/logs",
        post(async |body: Body| {
            let mut chunks = body.into_data_stream();
            while chunks.next().await.is_some() {}
            StatusCode::OK
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

struct Discard;

#[tonic::async_trait]
impl LogsService for Discard {
    async fn export(
        &self,
        _: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, tonic::Status> {
        Ok(tonic::Response::new(ExportLogsServiceResponse::default()))
    }
}

/// A receiver over gRPC that drops what it reads; it decodes each record, which the one
/// over HTTP does not.
fn grpc_sink() -> SocketAddr {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let service = LogsServiceServer::new(Discard).max_decoding_message_size(64 * 1024 * 1024);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    address
}

fn parts(criterion: &mut Criterion) {
    let filled = Filled::new();
    let (store, writer) = filled.runtime.block_on(async { Store::open(&filled.file()).unwrap() });
    let read = |reader: &Reader| reader.public_events_after(0, BatchLimit::events(READ));

    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(READ as u64));
    group.bench_function("read events", |bencher| {
        bencher.iter(|| filled.runtime.block_on(store.read(read)).unwrap());
    });
    drop(store);
    filled.runtime.block_on(writer.stop());

    group.sample_size(10).throughput(Throughput::Elements(filled.events));
    let http = filled.runtime.block_on(http_sink());
    let grpc = filled.runtime.block_on(async { grpc_sink() });
    for (name, protocol, sink) in
        [("deliver over HTTP", "http/protobuf", http), ("deliver over gRPC", "grpc", grpc)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| filled.deliver(protocol, sink)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
