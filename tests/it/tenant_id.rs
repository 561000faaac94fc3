//! Which tenant metrics and events are of.

use serde_json::Value;

use crate::harness::{Body, Exporter, Metrics, Protocol, Receiver, Setup, sample_payload, until};

const ID: &str = "a229bd52-608a-4225-bd01-b2214a3c4127";
const OTHER: &str = "5f0c7d1e-8a43-4c52-9b1f-6e2d7a90c3b4";

fn info(tenant: &str, id: &str) -> String {
    format!("cii_tenant_info{{tenant=\"{tenant}\",id=\"{id}\"}}")
}

/// The one series that there is.
fn shown(metrics: &Metrics) -> String {
    let series = metrics.series("cii_tenant_info");
    assert!(series.len() == 1 && series[0].1 == 1.0, "{series:?}");
    series[0].0.to_owned()
}

async fn deliver(exporter: &Exporter, id: &str, source: &str) {
    let mut body = Body::new(id, "no-mfa", &[&format!("{id}@example.com")]).json();
    body["source"] = source.into();
    assert_eq!(exporter.deliver(&body).await, 200);
}

#[tokio::test]
async fn a_tenant_has_no_name_until_a_delivery_tells_its_id_which_stays() {
    let exporter = Setup::new().start().await;
    assert_eq!(shown(&exporter.metrics().await), info("unnamed", ""));
    deliver(&exporter, "0", "tests").await;
    assert_eq!(shown(&exporter.metrics().await), info("unnamed", ""));
    deliver(&exporter, "1", &format!("{}__a7708c35", ID.to_uppercase())).await;
    assert_eq!(shown(&exporter.metrics().await), info(ID, ID));

    // Another tenant's deliveries count, and are said once.
    for id in ["2", "3"] {
        deliver(&exporter, id, &format!("{OTHER}__a7708c35")).await;
    }
    let metrics = exporter.metrics().await;
    assert_eq!(shown(&metrics), info(ID, ID));
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"no-mfa\"}"), Some(4.0));
    let log = exporter.until_logged("another tenant").await;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("another tenant")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("WARN") && lines[0].contains(ID) && lines[0].contains(OTHER));

    let exporter = exporter.kill().await.start().await;
    assert_eq!(shown(&exporter.metrics().await), info(ID, ID));
}

#[tokio::test]
async fn a_filtered_delivery_and_a_test_message_tell_the_id_too() {
    for (webhook, check, kind) in
        [("check_ids = [\"other\"]", "no-mfa", "FAILED_CHECK"), ("", "", "WebhookTest")]
    {
        let exporter = Setup::new().webhook(webhook).start().await;
        let mut body = Body::new("1", check, &["a@example.com"]).json();
        body["source"] = format!("{ID}__a7708c35").into();
        body["detail-type"] = kind.into();
        if kind == "WebhookTest" {
            body["detail"] = serde_json::json!({});
        }
        assert_eq!(exporter.deliver(&body).await, 200);
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get("cii_webhook_requests_total{result=\"accepted\"}"), Some(0.0));
        assert_eq!(shown(&metrics), info(ID, ID));
    }
}

#[tokio::test]
async fn the_operator_s_name_is_shown_and_can_change_while_running() {
    let setup = Setup::new().tables("[tenant]\nname = \" acme \\\"1\\\"\"");
    let mut exporter = setup.start().await;
    assert_eq!(shown(&exporter.metrics().await), info("acme \\\"1\\\"", ""));
    exporter.post(sample_payload()).await.unwrap();
    assert_eq!(shown(&exporter.metrics().await), info("acme \\\"1\\\"", ID));
    exporter.setup().replace("name = \" acme \\\"1\\\"\"", "name = \"globex\"");
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    let answer = reload.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", exporter.log());
    assert!(!answer.text().await.unwrap().contains("tenant.name"));
    exporter.until_metric(&info("globex", ID), 1.0).await;
    let wrong = Setup::new().tables("[tenant]\nname = \" \"").run(&["check-config"]).await;
    assert!(wrong.code == 64 && wrong.errors.contains("tenant.name: must not be empty"));
}

fn of_resource(received: &Value, key: &str) -> Option<String> {
    let attributes = received["resource"]["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
    found["value"]["stringValue"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn events_say_which_tenant_they_are_of_from_the_delivery_on_that_tells_it() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let receiver = Receiver::start().await;
        let setup = Setup::new().tables("[tenant]\nname = \"acme\"").sending(&receiver, protocol);
        let exporter = setup.start().await;
        deliver(&exporter, "0", "tests").await;
        let received = receiver.until_received(2).await;
        assert_eq!(of_resource(&received[0], "cii.tenant.id"), None);
        assert_eq!(of_resource(&received[0], "cii.tenant.name").as_deref(), Some("acme"));
        for (number, source) in [(1, ID), (2, OTHER)] {
            deliver(&exporter, &number.to_string(), source).await;
            let received = receiver.until_received(2 + 2 * number).await;
            let last = received.last().unwrap();
            assert_eq!(of_resource(last, "cii.tenant.id").as_deref(), Some(ID));
        }
        // A restart knows it from the start on.
        let exporter = exporter.stop().await.start().await;
        deliver(&exporter, "3", "tests").await;
        let received = receiver.until_received(8).await;
        assert_eq!(of_resource(&received[7], "cii.tenant.id").as_deref(), Some(ID));
        until("nothing waits", || async {
            (exporter.metrics().await.get("cii_otlp_pending_events") == Some(0.0)).then_some(())
        })
        .await;
    }
}
