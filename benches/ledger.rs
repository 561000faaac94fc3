//! What the ledger makes of deliveries, without a store.
//!
//! `cargo bench --bench ledger`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to end")]

use std::hint::black_box;

use chrono::TimeDelta;
use cii_exporter::{
    domain::{
        CheckDefinition, CheckId, Delivery, DeliveryKind, FailingUser, Login, ReportedCheck,
        Severity, Timestamp, WatchPolicy, failure::Titled,
    },
    ledger::{
        Change, Counts, Facts, Head, Keys,
        change::{AnswerRules, RecordDelivery},
    },
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_323_700 + second, 0).unwrap()
}

/// A delivery of so many users whom nobody named before.
fn delivery(number: usize, users: usize) -> RecordDelivery {
    let id = CheckId::new("no-mfa").unwrap();
    let definition = CheckDefinition {
        title: "No MFA configured".to_owned(),
        severity: Severity::new(Some("critical")),
        description: vec!["Finds users without a second factor.".to_owned()],
        recommended_actions: vec!["Ask them to enroll one.".to_owned()],
        ..CheckDefinition::undefined(&id)
    }
    .with_dates(true, at(0));
    let failing = (0..users).map(|user| FailingUser {
        login: Login::new(&format!("user.{number}.{user}@example.com")).unwrap(),
        explanation: None,
    });
    RecordDelivery {
        delivery: Delivery {
            id: format!("delivery-{number}"),
            kind: DeliveryKind::FailedCheck,
            received_at: at(1),
            published_at: Some(at(0)),
            check: Some(ReportedCheck { id: CheckId::new("no-mfa").unwrap(), definition }),
            failing: failing.collect(),
            ..Delivery::default()
        },
        body: b"{}".to_vec().into(),
        admitted: true,
        policy: WatchPolicy { failing_users: true, max_users: 10_000, max_ips: 1000 },
        recorded_at: at(1),
        replays: None,
        answers: AnswerRules { has_api: true, settle: TimeDelta::minutes(15) },
    }
}

/// What a store without a row finds for these keys.
fn nothing(keys: &Keys) -> Facts {
    let mut facts = Facts::new(Head::default(), Counts::default());
    for id in &keys.envelopes {
        facts.envelopes.load(id.clone(), None);
    }
    for id in &keys.checks {
        facts.load_check(id.clone(), None);
    }
    for title in &keys.titles {
        facts.load_title(title.clone(), Titled::default());
    }
    for login in &keys.failures_of {
        facts.load_complete(login.clone());
    }
    for login in &keys.answered {
        facts.answered.load(login.clone(), None);
        facts.listed.load(login.clone(), None);
    }
    for subject in &keys.watched {
        facts.load_watched(subject.clone(), None);
    }
    facts.configured.load((), None);
    facts.listing.load((), None);
    facts.listing_done.load((), None);
    facts
}

/// A group: its keys, its facts, its changes and their difference.
fn group(criterion: &mut Criterion) {
    let mut benches = criterion.benchmark_group("ledger");
    for (name, deliveries, users) in
        [("256 deliveries of 4 users", 256, 4), ("1 delivery of 5,000 users", 1, 5_000)]
    {
        let changes: Vec<_> = (0..deliveries).map(|number| delivery(number, users)).collect();
        let mut keys = Keys::default();
        for change in &changes {
            change.keys(&mut keys);
        }
        benches.throughput(Throughput::Elements((deliveries * users) as u64));
        benches.bench_function(name, |bencher| {
            bencher.iter_batched(
                || nothing(&keys),
                |mut facts| {
                    for change in &changes {
                        facts.checkpoint();
                        black_box(change.apply(&mut facts)).unwrap();
                    }
                    black_box(facts.diff().events.len());
                    facts
                },
                BatchSize::LargeInput,
            );
        });
    }
    benches.finish();
}

criterion_group!(benches, group);
criterion_main!(benches);
