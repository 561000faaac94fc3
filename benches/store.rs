//! What it takes to commit and to read, without the network.
//!
//! `cargo bench --bench store`. With `TMPDIR=/dev/shm` the disk has no part in it.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to end")]

use std::{hint::black_box, path::PathBuf};

use chrono::TimeDelta;
use cii_exporter::{
    domain::{
        CheckDefinition, CheckId, Delivery, DeliveryKind, FailingUser, Login, ReportedCheck,
        Severity, Timestamp, WatchPolicy,
    },
    ledger::change::{AnswerRules, RecordDelivery},
    store::{BatchLimit, EventFilter, Reader, Store, WriterThread},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Users whom a large delivery names.
const USERS: usize = 1_000;

/// Small deliveries that share a commit.
const TOGETHER: usize = 256;

/// Rows that are read in one go.
const READ: usize = 1_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_323_700 + second, 0).unwrap()
}

/// A delivery that names these users. Each has an id of its own, and comes a second after the
/// one before it.
fn delivery(number: i64, users: std::ops::Range<usize>) -> RecordDelivery {
    let id = CheckId::new("no-mfa").unwrap();
    let definition = CheckDefinition {
        title: "No MFA configured for privileged users".to_owned(),
        severity: Severity::new(Some("critical")),
        description: vec!["Finds users without a second factor.".to_owned()],
        recommended_actions: vec!["Ask them to enroll one.".to_owned()],
        ..CheckDefinition::undefined(&id)
    }
    .with_dates(true, at(0));
    let failing = users.map(|user| FailingUser {
        login: Login::new(&format!("user.number.{user}@example.com")).unwrap(),
        explanation: Some(r#"{"reason":"no factor is enrolled","since":"2026-01-01"}"#.to_owned()),
    });
    RecordDelivery {
        delivery: Delivery {
            id: format!("7f1c5d3e-0000-4000-8000-{number:012}"),
            kind: DeliveryKind::FailedCheck,
            detail_type: "FAILED_CHECK".to_owned(),
            received_at: at(number),
            sent_at: Some(at(number)),
            published_at: Some(at(number)),
            source: Some("4b1f7c52-6d3a-4a87-9a5e-2f0d6c1b8e93__20260102".to_owned()),
            check: Some(ReportedCheck { id, definition }),
            failing: failing.collect(),
            ..Delivery::default()
        },
        body: b"{}".to_vec().into(),
        admitted: true,
        policy: WatchPolicy { failing_users: true, max_users: 10_000, max_ips: 1000 },
        recorded_at: at(number),
        replays: None,
        answers: AnswerRules { has_api: true, settle: TimeDelta::minutes(15) },
    }
}

/// A store in a folder that goes with the value.
struct Opened {
    runtime: Runtime,
    store: Store,
    writer: WriterThread,
    _folder: TempDir,
}

impl Opened {
    /// A store in which these users fail a check.
    fn with(users: usize) -> Self {
        let (folder, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
        let file: PathBuf = folder.path().join("bench.db");
        let (store, writer) = runtime.block_on(async {
            let (store, writer) = Store::open(&file).unwrap();
            store.commit(delivery(0, 0..users)).await.unwrap();
            (store, writer)
        });
        Self { runtime, store, writer, _folder: folder }
    }

    fn close(self) {
        drop(self.store);
        self.runtime.block_on(self.writer.stop());
    }
}

fn commits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit");
    let opened = Opened::with(USERS);
    let mut number = 0;
    group.throughput(Throughput::Elements(USERS as u64));
    group.bench_function("a delivery of many", |bencher| {
        bencher.iter(|| {
            number += 1;
            let change = delivery(number, 0..USERS);
            opened.runtime.block_on(opened.store.commit(change)).unwrap()
        });
    });
    group.throughput(Throughput::Elements(TOGETHER as u64));
    group.bench_function("many deliveries of one", |bencher| {
        bencher.iter(|| {
            let changes = (0..TOGETHER).map(|user| {
                number += 1;
                delivery(number, user..user + 1)
            });
            let changes: Vec<_> = changes.collect();
            opened.runtime.block_on(opened.store.commit_all(changes)).unwrap()
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a delivery of one", |bencher| {
        bencher.iter(|| {
            number += 1;
            let change = delivery(number, 0..1);
            opened.runtime.block_on(opened.store.commit(change)).unwrap()
        });
    });
    group.finish();
    opened.close();
}

fn reads(criterion: &mut Criterion) {
    let opened = Opened::with(10 * READ);
    let read = |query: fn(&Reader) -> usize| {
        let read = opened.store.read(move |reader| Ok(query(reader)));
        opened.runtime.block_on(read).unwrap()
    };
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(READ as u64));
    group.bench_function("events for a collector", |bencher| {
        bencher.iter(|| {
            read(|reader| {
                reader.public_events_after(0, BatchLimit::events(READ)).unwrap().events.len()
            })
        });
    });
    group.bench_function("events for people", |bencher| {
        bencher.iter(|| {
            read(|reader| {
                reader.events_after(&EventFilter::default(), 0, READ).unwrap().events.len()
            })
        });
    });
    group.bench_function("who fails a check", |bencher| {
        bencher.iter(|| read(|reader| reader.failing_logins("no-mfa", "", READ).unwrap().len()));
    });
    group.throughput(Throughput::Elements(10 * READ as u64));
    group.bench_function("every open failure", |bencher| {
        bencher.iter(|| {
            read(|reader| {
                let mut count = 0;
                let take = |login: &str, id: &CheckId| count += black_box((login, id)).0.len();
                reader.each_open_failure(take).unwrap();
                count
            })
        });
    });
    group.finish();
    opened.close();
}

criterion_group!(benches, commits, reads);
criterion_main!(benches);
