//! Kill, restart, repeat: what was acknowledged is there, once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinSet;

use crate::harness::{Body, Exporter, Protocol, Receiver, Setup, attribute, until};

/// The ids of all deliveries that are recorded.
async fn recorded(exporter: &Exporter) -> BTreeSet<String> {
    let (mut found, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/deliveries?limit=1000{cursor}");
        let (status, page) = exporter.api("GET", &path, None).await;
        assert_eq!(status, 200, "{page}");
        let deliveries = page["deliveries"].as_array().unwrap();
        found.extend(deliveries.iter().filter_map(|one| one["id"].as_str()).map(str::to_owned));
        let Some(next) = page["next_cursor"].as_i64() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_acknowledged_before_a_kill_is_there_exactly_once() {
    let receiver = Receiver::start().await;
    let mut setup = Setup::new().sending(&receiver, Protocol::Http);
    let mut acknowledged = BTreeSet::new();
    for round in 0..3 {
        let exporter = Arc::new(setup.start().await);
        let stop = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for sender in 0..16 {
            let (exporter, stop) = (exporter.clone(), stop.clone());
            senders.spawn(async move {
                let mut seen = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("{round}-{sender}-{number}");
                    let body = Body::new(&id, "load", &[&format!("{id}@example.com")]);
                    if exporter.deliver(&body.json()).await == 200 {
                        seen.push(id);
                    }
                }
                seen
            });
        }
        until("some load", || async {
            let metrics = exporter.scrape().await;
            let accepted = metrics.get("cii_webhook_requests_total{result=\"accepted\"}")?;
            (accepted >= 200.0).then_some(())
        })
        .await;
        exporter.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        while let Some(seen) = senders.join_next().await {
            acknowledged.extend(seen.unwrap());
        }
        setup = Arc::into_inner(exporter).expect("the senders are gone").kill().await;
    }

    let exporter = setup.start().await;
    // A sender that heard nothing repeats; what was recorded counts once.
    for id in acknowledged.iter().take(50) {
        let body = Body::new(id, "load", &[&format!("{id}@example.com")]);
        assert_eq!(exporter.deliver(&body.json()).await, 200);
    }
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"duplicate\"}"), Some(50.0));
    let recorded = recorded(&exporter).await;
    let lost: Vec<_> = acknowledged.difference(&recorded).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let count = f64::from(u32::try_from(recorded.len()).unwrap());
    let labels = "{check_id=\"load\",severity=\"high\"}";
    assert_eq!(metrics.get(&format!("cii_check_failing_users{labels}")), Some(count));
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"load\"}"), Some(count));

    // At the collector: every event, at least once, each repeat with its id.
    let received = until("every event at the collector", || async {
        let received = receiver.received();
        let failed: BTreeSet<_> = received
            .iter()
            .filter(|line| line["record"]["eventName"] == "cii.check.failed")
            .filter_map(|line| attribute(line, "user.email")?.as_str().map(str::to_owned))
            .collect();
        recorded.iter().all(|id| failed.contains(&format!("{id}@example.com"))).then_some(received)
    })
    .await;
    let uids: BTreeSet<_> = received
        .iter()
        .map(|line| attribute(line, "log.record.uid").unwrap().to_string())
        .collect();
    assert_eq!(uids.len(), recorded.len() * 2, "an event's id is its own");
}

#[tokio::test]
async fn a_restart_shows_the_same_tenant() {
    let exporter = Setup::new().watch("users = [\"zoe@example.com\"]").start().await;
    for (id, check) in [("1", "no-mfa"), ("2", "dormant"), ("3", "no-mfa")] {
        let user = format!("user{id}@example.com");
        exporter.deliver(&Body::new(id, check, &["zoe@example.com", &user]).json()).await;
    }
    let before = exporter.metrics().await;
    let exporter = exporter.kill().await.start().await;
    let after = exporter.metrics().await;
    assert_eq!(after.of_tenant(), before.of_tenant());
    let last = "cii_webhook_last_delivery_timestamp_seconds";
    assert!(before.get(last).is_some());
    assert_eq!(after.get(last), before.get(last));
}

/// O3: events after a restored backup are others than those that were lost with it.
#[tokio::test]
async fn a_restored_backup_repeats_no_id_of_an_event() {
    let receiver = Receiver::start().await;
    let setup = Setup::new().sending(&receiver, Protocol::Http);
    let exporter = setup.start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    receiver.until_received(2).await;
    // What the collector took is known as such a moment later.
    exporter.until_metric("cii_otlp_pending_events", 0.0).await;
    let setup = exporter.stop().await;
    let backup = std::fs::read(setup.database()).unwrap();
    let exporter = setup.start().await;
    for id in ["2", "3"] {
        let user = format!("lost{id}@example.com");
        assert_eq!(exporter.deliver(&Body::new(id, "no-mfa", &[&user]).json()).await, 200);
    }
    receiver.until_received(6).await;
    exporter.until_metric("cii_otlp_pending_events", 0.0).await;
    let setup = exporter.stop().await;
    std::fs::write(setup.database(), backup).unwrap();
    let exporter = setup.start().await;
    assert_eq!(exporter.deliver(&Body::new("4", "no-mfa", &["new@example.com"]).json()).await, 200);
    let received = receiver.until_received(8).await;
    let uid = |line: &serde_json::Value| {
        attribute(line, "log.record.uid").unwrap().as_str().unwrap().to_owned()
    };
    let uids: BTreeSet<_> = received.iter().map(uid).collect();
    assert_eq!(uids.len(), received.len(), "{received:#?}");
    let (_, page) = exporter.api("GET", "/events?limit=10", None).await;
    let page = page["events"].as_array().unwrap();
    let in_order: Vec<_> = page.iter().map(|event| event["uid"].as_str().unwrap()).collect();
    assert!(in_order.is_sorted() && in_order.iter().all(|id| uids.contains(*id)), "{in_order:?}");
}
