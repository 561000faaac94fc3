//! More at once than there is room for: what is answered, what is put off, and what is never
//! held up by the rest.

use std::{
    collections::BTreeSet,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::harness::{Body, Exporter, SECRET, Setup, until};

/// A delivery of many users.
fn large(id: &str, users: usize) -> Value {
    let users: Vec<_> = (0..users).map(|user| format!("{id}-{user}@example.com")).collect();
    Body { id: id.to_owned(), check_id: "no-mfa".to_owned(), users }.json()
}

/// The head of a delivery that announces so many bytes, and nothing of its body.
async fn announce(exporter: &Exporter, bytes: usize) -> TcpStream {
    let address = exporter.webhook_url.split('/').nth(2).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /webhooks/cii HTTP/1.1\r\nhost: x\r\nx-api-client-token: {SECRET}\r\n\
         content-type: application/json\r\ncontent-length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn answer(mut stream: TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).to_lowercase()
}

#[tokio::test]
async fn past_the_bytes_there_are_a_large_delivery_is_put_off_and_small_ones_are_taken() {
    let exporter = Setup::new().webhook("max_body_bytes = 268435456").start().await;
    let held = "cii_webhook_held_bytes";
    let first = announce(&exporter, 100 << 20).await;
    exporter.until_metric(held, f64::from(100_u32 << 20)).await;
    let refused = answer(announce(&exporter, 60 << 20).await).await;
    assert!(refused.starts_with("http/1.1 503") && refused.contains("retry-after: "), "{refused}");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_webhook_shed_total{reason=\"bytes\"}"), Some(1.0));
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"unavailable\"}"), Some(1.0));
    // Who goes away makes room.
    drop(first);
    exporter.until_metric(held, 0.0).await;
    assert_eq!(exporter.deliver(&large("2", 3000)).await, 200);
    exporter.until_metric(held, 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_deliveries_take_no_more_room_than_they_need() {
    let exporter = Arc::new(Setup::new().start().await);
    let mut sent = JoinSet::new();
    // At the length that is allowed, as few as six of them would take all the room.
    for id in 0..40 {
        let body = large(&format!("packed-{id}"), 10).to_string() + &" ".repeat(100_000);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(body.as_bytes()).unwrap();
        let (exporter, packed) = (exporter.clone(), packed.finish().unwrap());
        sent.spawn(async move { exporter.post_encoded(packed, "gzip").await.0 });
    }
    while let Some(status) = sent.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_webhook_shed_total{reason=\"bytes\"}"), Some(0.0));
    exporter.until_metric("cii_webhook_held_bytes", 0.0).await;
}

/// Large deliveries at once.
const LARGE: u32 = 12;

/// Delivers, as often as a sender is told to come again.
async fn deliver_at_last(exporter: &Exporter, body: &Value) {
    let status = until("an answer that is final", || async {
        Some(exporter.deliver(body).await).filter(|status| *status != 503)
    })
    .await;
    assert_eq!(status, 200);
}

/// Sends large deliveries, and a small one while they are in hand; whether a large one was answered
/// after it.
async fn a_large_one_is_last(exporter: &Arc<Exporter>, round: u32) -> bool {
    let answered = Arc::new(AtomicU32::new(0));
    let mut sent = JoinSet::new();
    for id in 0..LARGE {
        let (exporter, answered) = (exporter.clone(), answered.clone());
        let body = large(&format!("large-{round}-{id}"), 3000);
        sent.spawn(async move {
            deliver_at_last(&exporter, &body).await;
            answered.fetch_add(1, Ordering::Relaxed);
            true
        });
    }
    // Where the machine stalls, all may have been answered before anybody looks.
    until("some large ones in hand", || async {
        let held = exporter.scrape().await.get("cii_webhook_held_bytes")?;
        (held > 500_000.0 || answered.load(Ordering::Relaxed) == LARGE).then_some(())
    })
    .await;
    let small = exporter.clone();
    sent.spawn(async move {
        let (id, user) = (format!("small-{round}"), format!("{round}@example.com"));
        deliver_at_last(&small, &Body::new(&id, "no-mfa", &[&user]).json()).await;
        false
    });
    let mut is_large_last = false;
    while let Some(is_large) = sent.join_next().await {
        is_large_last = is_large.unwrap();
    }
    is_large_last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_delivery_does_not_wait_for_all_large_ones_before_it() {
    let exporter = Arc::new(Setup::new().start().await);
    // One that waits for all of them is last each time, and one that was sent too late is not.
    let mut round = 1;
    while !a_large_one_is_last(&exporter, round).await {
        assert!(round < 5, "the small one was answered last each time");
        round += 1;
    }
    let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    exporter.until_metric(series, f64::from(round * (LARGE * 3000 + 1))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_under_load_it_ends_in_time_and_keeps_what_it_acknowledged() {
    let mut exporter = Setup::new().start().await;
    let http = reqwest::Client::new();
    let mut sent = JoinSet::new();
    for id in 0..40 {
        let id = format!("large-{id}");
        let body = large(&id, 4000).to_string();
        let request = http
            .post(&exporter.webhook_url)
            .header("x-api-client-token", SECRET)
            .header("content-type", "application/json")
            .body(body);
        sent.spawn(async move {
            let answer = request.send().await;
            (id, answer.map_or(0, |answer| answer.status().as_u16()))
        });
    }
    until("some of it", || async {
        let accepted =
            exporter.scrape().await.get("cii_webhook_requests_total{result=\"accepted\"}")?;
        (accepted >= 1.0).then_some(())
    })
    .await;
    exporter.signal("TERM");
    assert_eq!(exporter.ended_in_time().await, Some(0), "{}", exporter.log());
    let mut acknowledged = BTreeSet::new();
    while let Some(answered) = sent.join_next().await {
        let (id, status) = answered.unwrap();
        assert!([0, 200, 503].contains(&status), "{status}");
        if status == 200 {
            acknowledged.insert(id);
        }
    }
    assert!(!acknowledged.is_empty());
    let exporter = exporter.kill().await.start().await;
    let (_, page) = exporter.api("GET", "/deliveries?limit=1000", None).await;
    let kept: BTreeSet<_> = page["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|delivery| delivery["id"].as_str().map(str::to_owned))
        .collect();
    assert!(acknowledged.is_subset(&kept), "{acknowledged:?} {kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_answers_at_once_hold_up_neither_deliveries_nor_scrapes() {
    let exporter = Arc::new(Setup::new().start().await);
    assert_eq!(exporter.deliver(&large("1", 3000)).await, 200);
    let mut asked = JoinSet::new();
    for _ in 0..60 {
        let exporter = exporter.clone();
        asked.spawn(async move { exporter.api("GET", "/events?limit=1000", None).await });
    }
    for id in ["2", "3", "4"] {
        assert_eq!(exporter.deliver(&Body::new(id, "no-mfa", &["a"]).json()).await, 200);
        assert_eq!(exporter.get("/-/ready").await.0, 200);
    }
    while let Some(answered) = asked.join_next().await {
        let (status, page) = answered.unwrap();
        match status {
            200 => assert_eq!(page["events"].as_array().unwrap().len(), 1000),
            other => assert_eq!(other, 503, "{page}"),
        }
    }
}

#[tokio::test]
async fn streams_leave_the_other_connections_to_pages_and_scrapes() {
    let exporter = Setup::new().descriptors(256).start().await;
    let mut streams = Vec::new();
    let refused = loop {
        let path = if streams.len() % 2 == 0 { "/changes" } else { "/events?stream=true" };
        let url = format!("{}/api/v1{path}", exporter.ops_url);
        let answer = reqwest::get(url).await.unwrap();
        match answer.status().as_u16() {
            200 => streams.push(answer),
            _ => break answer,
        }
        assert!(streams.len() < 60, "streams may take nearly every connection");
    };
    assert!(streams.len() >= 8);
    assert_eq!(refused.status().as_u16(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    for path in ["/", "/api/v1/events", "/metrics", "/-/ready"] {
        assert_eq!(exporter.get(path).await.0, 200, "{path}");
    }
    let shed = "cii_ops_shed_total{kind=\"stream\"}";
    assert_eq!(exporter.metrics().await.get(shed), Some(1.0));
    streams.pop();
    until("room for another stream", || async {
        let url = format!("{}/api/v1/changes", exporter.ops_url);
        (reqwest::get(url).await.unwrap().status().as_u16() == 200).then_some(())
    })
    .await;
}
