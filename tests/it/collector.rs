//! The collector fails in every way that collectors do; no event is lost.

use cii_simulator::collector::{Collector, Refusal};
use serde_json::json;

use crate::harness::{Body, Protocol, Receiver, Setup, attribute, names, until};

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
        // Without its answer, what it received would be sent again.
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
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

#[tokio::test]
async fn what_a_collector_refuses_for_ever_is_parked_and_the_rest_arrives_in_order() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let collector = Collector::start().await.unwrap();
        collector.refuse(Refusal::Poison("poison@example.com".to_owned()));
        let exporter =
            Setup::new().sending_to(&protocol.endpoint_of(&collector), protocol).start().await;
        let users = ["a@example.com", "poison@example.com", "z@example.com"];
        assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &users).json()).await, 200);
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
        let taken: Vec<_> =
            collector.records().iter().map(|record| record.body().to_owned()).collect();
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert!(taken[1].starts_with("a@") && taken[2].starts_with("z@"), "{taken:?}");
        let metrics = exporter.metrics().await;
        let refused = "cii_otlp_export_failures_total{reason=\"refused\"}";
        assert_eq!(metrics.get(refused), Some(1.0));
        assert_eq!(metrics.get("cii_otlp_exported_events_total"), Some(3.0));
        exporter.stop().await;
    }
}

#[tokio::test]
async fn passing_refusals_and_partial_success_are_counted_and_lose_nothing_more() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let collector = Collector::start().await.unwrap();
        for refusal in [Refusal::Unavailable, Refusal::Throttled, Refusal::Partial(1)] {
            collector.refuse(refusal);
        }
        let exporter =
            Setup::new().sending_to(&protocol.endpoint_of(&collector), protocol).start().await;
        assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
        exporter.until_metric("cii_otlp_pending_events", 0.0).await;
        let metrics = exporter.metrics().await;
        for reason in ["unavailable", "throttled", "partial_success"] {
            let series = format!("cii_otlp_export_failures_total{{reason=\"{reason}\"}}");
            assert_eq!(metrics.get(&series), Some(1.0), "{reason} over {}", protocol.as_str());
        }
        assert_eq!(exporter.deliver(&Body::new("2", "no-mfa", &["b"]).json()).await, 200);
        until("the second delivery's events", || async {
            (collector.records().len() == 2).then_some(())
        })
        .await;
        exporter.stop().await;
    }
}
