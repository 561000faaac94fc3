//! How bad a check is, in whatever word the service says it.

use cii_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::harness::{Body, Protocol, Receiver, Setup, attribute};

/// A delivery with this severity; null where there is none.
fn rated(id: &str, severity: &Value, users: &[&str]) -> Value {
    let mut body = Body::new(id, &format!("check-{id}"), users).json();
    body["detail"]["severity"] = severity.clone();
    body
}

#[tokio::test]
async fn every_word_has_its_label_its_grade_and_its_people() {
    let receiver = Receiver::start().await;
    let exporter = Setup::new().sending(&receiver, Protocol::Http).start().await;
    // What the service says, the label of metrics and API, OpenTelemetry's grade.
    let cases = [
        (json!("Moderate"), "medium", "WARN"),
        (json!("medium"), "medium", "WARN"),
        (json!("INFO"), "info", "INFO"),
        (json!("low"), "low", "INFO"),
        (json!("severe"), "severe", "WARN"),
        (Value::Null, "unknown", "WARN"),
        (json!("High"), "high", "ERROR"),
        (json!("critical"), "critical", "FATAL"),
    ];
    for (number, (severity, label, _)) in cases.iter().enumerate() {
        let user = format!("user{number}@example.com");
        let users = [user.as_str(), "everybody@example.com"];
        assert_eq!(exporter.deliver(&rated(&number.to_string(), severity, &users)).await, 200);
        let metrics = exporter.metrics().await;
        let series =
            format!("cii_check_failing_users{{check_id=\"check-{number}\",severity=\"{label}\"}}");
        assert_eq!(metrics.get(&series), Some(2.0), "{}", metrics.text);
    }
    let metrics = exporter.metrics().await;
    let people =
        |severity: &str| metrics.get(&format!("cii_failing_users{{severity=\"{severity}\"}}"));
    for (label, expected) in
        [("critical", 2.0), ("high", 1.0), ("medium", 2.0), ("severe", 1.0), ("unknown", 1.0)]
    {
        assert_eq!(people(label), Some(expected), "{label}\n{}", metrics.text);
    }
    assert!(metrics.series("cii_tenant_listing_complete").is_empty(), "there is no [api]");

    let received = receiver.until_received(3 * cases.len()).await;
    for (number, (severity, _, grade)) in cases.iter().enumerate() {
        for record in &received[3 * number..3 * number + 3] {
            let number = record["record"]["severityNumber"].as_str().unwrap();
            assert_eq!(number.strip_prefix("SEVERITY_NUMBER_"), Some(*grade), "{record}");
            let text = record["record"].get("severityText").cloned().unwrap_or_default();
            assert_eq!(text, *severity, "{record}");
            assert_eq!(attribute(record, "cii.check.severity").unwrap_or_default(), *severity);
        }
    }
    for asked in ["medium", "moderate", "MEDIUM"] {
        let path = format!("/events?name=cii.check.delivery&severity={asked}");
        let (_, found) = exporter.api("GET", &path, None).await;
        let events = found["events"].as_array().unwrap();
        assert_eq!(events.len(), 2, "{asked}: {found}");
        assert!(events.iter().all(|event| event["severity"] == "medium"), "{found}");
    }
    for (asked, told) in
        [("unknown", Value::Null), ("severe", json!("severe")), ("HIGH", json!("High"))]
    {
        let path = format!("/events?name=cii.check.delivery&severity={asked}");
        let (_, found) = exporter.api("GET", &path, None).await;
        let events = found["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{asked}, told as {told}: {found}");
    }
    exporter.stop().await;
}

#[tokio::test]
async fn what_is_about_no_check_is_information() {
    let receiver = Receiver::start().await;
    let exporter = Setup::new().sending(&receiver, Protocol::Http).start().await;
    let mut test = Body::new("1", "", &[]).json();
    test["detail-type"] = json!("WebhookTest");
    test["detail"] = json!({ "title": "A test" });
    assert_eq!(exporter.deliver(&test).await, 200);
    let received = receiver.until_received(1).await;
    let number = &received[0]["record"]["severityNumber"];
    assert_eq!(number, "SEVERITY_NUMBER_INFO", "{received:?}");
    exporter.stop().await;
}

#[tokio::test]
async fn nobody_is_a_number_once_the_tenant_was_listed() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *");
    let exporter = setup.tables("[sync.tenant]\nenabled = false").start().await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_tenant_listing_complete"), Some(0.0), "it is switched off");
    assert!(metrics.series("cii_failing_users").is_empty(), "{}", metrics.text);

    let mut setup = exporter.stop().await;
    setup.replace("enabled = false", "enabled = true");
    let exporter = setup.start().await;
    let metrics = exporter.until_metric("cii_tenant_listing_complete", 1.0).await;
    let failing = simulator
        .tenant(|tenant| tenant.users().filter(|user| !user.failing_checks.is_empty()).count());
    let people = metrics.series("cii_failing_users");
    let sum: f64 = people.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, f64::from(u32::try_from(failing).unwrap()), "{}", metrics.text);
    assert_eq!(metrics.get("cii_failing_users{severity=\"critical\"}"), Some(0.0), "{people:?}");

    // Switched off again, what it once said gets older and older.
    let mut setup = exporter.stop().await;
    setup.replace("enabled = true", "enabled = false");
    let exporter = setup.start().await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_tenant_listing_complete"), Some(0.0), "{}", metrics.text);
    assert_eq!(metrics.get("cii_failing_users{severity=\"critical\"}"), None, "{}", metrics.text);
    exporter.stop().await;
}
