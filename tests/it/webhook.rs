//! A delivery comes in over HTTP and comes out on /metrics and at a collector.

use serde_json::json;

use crate::harness::{
    Body, Lock, Protocol, Receiver, SECRET, Setup, attribute, names, sample_payload,
};

const FAILING: &str = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"critical\"}";

#[tokio::test]
async fn the_published_payload_comes_out_on_metrics_and_at_the_collector() {
    for protocol in [Protocol::Http, Protocol::Grpc] {
        let receiver = Receiver::start().await;
        let exporter = Setup::new().sending(&receiver, protocol).start().await;
        assert_eq!(exporter.post(sample_payload()).await.unwrap().0, 200);

        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get(FAILING), Some(4.0));
        let labels = "{check_id=\"no-mfa\",severity=\"critical\"";
        let info = format!("cii_check_info{labels},title=\"No MFA Configured\"}}");
        assert_eq!(metrics.get(&info), Some(1.0));
        assert_eq!(metrics.get("cii_check_failures_total{check_id=\"no-mfa\"}"), Some(4.0));
        assert_eq!(metrics.get("cii_check_resolutions_total{check_id=\"no-mfa\"}"), Some(0.0));
        assert_eq!(metrics.get("cii_watched{kind=\"user\"}"), Some(0.0));
        assert_eq!(metrics.get("cii_followed_users"), Some(4.0));
        // Whom nobody listed has no series of their own.
        assert!(metrics.series("cii_user_failing_checks").is_empty());

        let received = receiver.until_received(5).await;
        let mut expected = vec!["cii.check.delivery"];
        expected.extend(["cii.check.failed"; 4]);
        assert_eq!(names(&received), expected);
        let (delivery, failed) = (&received[0], &received[1]);
        assert_eq!(attribute(delivery, "cii.check.id"), Some(json!("no-mfa")));
        let description = attribute(delivery, "cii.check.description").unwrap();
        assert_eq!(description.as_array().map(Vec::len), Some(4));
        assert_eq!(attribute(failed, "user.email"), Some(json!("test@example.com")));
        assert_eq!(attribute(failed, "cii.check.title"), Some(json!("No MFA Configured")));
        assert_eq!(attribute(failed, "cloud.region"), Some(json!("us-east-2")));
        assert_eq!(attribute(failed, "cloud.account.id"), Some(json!("988897525199")));
        let delivery_id = json!("6290d486-904c-9d92-86fe-acecb39e252f");
        assert_eq!(attribute(failed, "cii.delivery.id"), Some(delivery_id));
        assert!(attribute(failed, "log.record.uid").is_some());
        let record = &failed["record"];
        assert_eq!(record["severityNumber"], "SEVERITY_NUMBER_FATAL");
        assert_eq!(record["severityText"], "critical");
        assert_eq!(record["timeUnixNano"], "1721831128589000000");
        assert!(record["observedTimeUnixNano"].is_string());
        let resource = failed["resource"]["attributes"].to_string();
        assert!(resource.contains("cii-exporter"), "{resource}");
        exporter.stop().await;
    }
}

#[tokio::test]
async fn a_repeat_is_acknowledged_and_changes_nothing() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.post(sample_payload()).await.unwrap().0, 200);
    let before = exporter.metrics().await;
    assert_eq!(exporter.post(sample_payload()).await.unwrap().0, 200);
    let after = exporter.metrics().await;
    assert_eq!(after.of_tenant(), before.of_tenant());
    assert_eq!(after.get("cii_webhook_requests_total{result=\"duplicate\"}"), Some(1.0));
}

#[tokio::test]
async fn only_the_checks_of_the_filter_count() {
    let exporter = Setup::new().webhook("check_ids = [\"wanted\"]").start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "wanted", &["a"]).json()).await, 200);
    assert_eq!(exporter.deliver(&Body::new("2", "unwanted", &["a"]).json()).await, 200);
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.series("cii_check_failing_users").len(), 1);
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"filtered\"}"), Some(1.0));
}

#[tokio::test]
async fn what_is_not_known_is_kept_and_acknowledged() {
    let exporter = Setup::new().start().await;
    let strange = json!({ "id": "s", "detail-type": "SOMETHING_NEW", "detail": { "x": [1] } });
    assert_eq!(exporter.deliver(&strange).await, 200);
    let test = json!({ "id": "t", "detail-type": "WebhookTest" });
    assert_eq!(exporter.deliver(&test).await, 200);
    let mut grown = Body::new("g", "no-mfa", &["a"]).json();
    grown["detail"]["brand new field"] = json!({ "deep": [{}] });
    grown["new envelope field"] = json!(7);
    assert_eq!(exporter.deliver(&grown).await, 200);
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"accepted\"}"), Some(2.0));
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"test\"}"), Some(1.0));
    let (_, kept) = exporter.api("GET", "/deliveries/s", None).await;
    assert_eq!(kept["body"], strange.to_string());
}

#[tokio::test]
async fn every_refusal_has_its_status_and_the_daemon_lives_on() {
    let exporter = Setup::new().webhook("max_body_bytes = 1024").start().await;
    let http = reqwest::Client::new();
    let post = || http.post(&exporter.webhook_url).header("content-type", "application/json");
    let authorized = || post().header("x-api-client-token", SECRET);
    let status = |request: reqwest::RequestBuilder| async {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.headers().clone(), answer.text().await.unwrap())
    };

    let (code, _, text) = status(post().body(sample_payload())).await;
    assert_eq!(code, 401);
    assert!(!text.contains("no-mfa"), "{text}");
    assert_eq!(status(post().header("x-api-client-token", "wrong").body("{")).await.0, 401);

    let hostile = [
        String::new(),
        "{".to_owned(),
        "[1, 2]".to_owned(),
        "null".to_owned(),
        "\u{0}".to_owned(),
        "[".repeat(1000),
        json!({ "detail-type": "FAILED_CHECK" }).to_string(),
        json!({ "id": 7, "detail-type": "FAILED_CHECK" }).to_string(),
        json!({ "id": "x", "detail-type": "FAILED_CHECK", "detail": {} }).to_string(),
        json!({ "id": "x", "detail": { "checkId": {}, "usersFailing": [null, ""] } }).to_string(),
    ];
    let count = hostile.len();
    for body in hostile {
        let (code, headers, text) = status(authorized().body(body.clone())).await;
        assert_eq!(code, 400, "{body}: {text}");
        assert_eq!(headers["content-type"], "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{text}");
    }
    assert_eq!(status(authorized().body(vec![0xff, 0xfe])).await.0, 400);

    assert_eq!(status(authorized().body("x".repeat(4096))).await.0, 413);
    let plain = http.post(&exporter.webhook_url).header("x-api-client-token", SECRET);
    assert_eq!(status(plain.header("content-type", "text/plain").body("{}")).await.0, 415);
    assert_eq!(status(http.get(&exporter.webhook_url)).await.0, 405);
    assert_eq!(status(http.post(format!("{}/more", exporter.webhook_url))).await.0, 404);

    assert_eq!(exporter.post(sample_payload()).await.unwrap().0, 413);
    let small = Body::new("1", "no-mfa", &["a"]).json();
    assert_eq!(exporter.deliver(&small).await, 200);
    let metrics = exporter.metrics().await;
    let result = |result: &str| {
        metrics.get(&format!("cii_webhook_requests_total{{result=\"{result}\"}}")).unwrap()
    };
    assert!((result("unauthorized") - 2.0).abs() < 0.1);
    assert!((result("too_large") - 2.0).abs() < 0.1);
    // The bodies above, the one that is no UTF-8, and the one that is no JSON by its type.
    assert!((result("malformed") - f64::from(u32::try_from(count).unwrap() + 2)).abs() < 0.1);
}

#[tokio::test]
async fn a_store_that_cannot_commit_is_told_as_503_and_nothing_is_half_done() {
    let exporter = Setup::new().start().await;
    let lock = Lock::of(&exporter.database());
    let request = reqwest::Client::new()
        .post(&exporter.webhook_url)
        .header("x-api-client-token", SECRET)
        .json(&Body::new("1", "no-mfa", &["a"]).json());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    drop(lock);
    assert!(exporter.metrics().await.series("cii_check_failing_users").is_empty());
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    assert_eq!(exporter.metrics().await.series("cii_check_failing_users")[0].1, 1.0);
}
