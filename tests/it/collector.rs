//! The collector fails in every way that collectors do; no event is lost.

use serde_json::json;

use crate::harness::{Body, Protocol, Receiver, Setup, attribute, names};

#[tokio::test]
async fn a_collector_that_is_down_for_a_while_costs_delay_and_no_event() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let mut receiver = Receiver::start().await;
        let exporter = Setup::new().sending(&receiver, protocol).start().await;
        let send = async |range: std::ops::Range<u32>| {
            for number in range {
                let user = format!("user{number}@example.com");
                let body = Body::new(&number.to_string(), "no-mfa", &[&user]);
                assert_eq!(exporter.deliver(&body.json()).await, 200);
            }
        };
        send(0..5).await;
        receiver.until_received(10).await;
        receiver.stop().await;
        send(5..10).await;
        let metrics = exporter.until_metric("cii_otlp_pending_events", 10.0).await;
        assert!(metrics.get("cii_otlp_oldest_pending_timestamp_seconds").is_some());
        receiver.restart().await;
        send(10..15).await;
        let received = receiver.until_received(30).await;
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
        let users: Vec<_> = received
            .iter()
            .filter(|line| line["record"]["eventName"] == "cii.check.failed")
            .map(|line| attribute(line, "user.email").unwrap())
            .collect();
        let expected: Vec<_> =
            (0..15).map(|number| json!(format!("user{number}@example.com"))).collect();
        assert_eq!(users, expected, "in order");
        exporter.stop().await;
    }
}

#[tokio::test]
async fn what_waits_at_a_kill_is_sent_after_the_restart() {
    let mut receiver = Receiver::start().await;
    let exporter = Setup::new().sending(&receiver, Protocol::Http).start().await;
    receiver.stop().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    let setup = exporter.kill().await;
    receiver.restart().await;
    let exporter = setup.start().await;
    let received = receiver.until_received(2).await;
    assert_eq!(names(&received), ["cii.check.delivery", "cii.check.failed"]);
    exporter.stop().await;
}
