//! Deliveries in the forms that senders and proxies write: what can be read
//! counts, and one odd field or login never costs the rest.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::harness::{Body, Exporter, Setup};

const SKIPPED: &str = "cii_webhook_skipped_logins_total";

/// A good delivery that names `a@example.com`, with one change.
fn changed(id: &str, pointer: &str, value: Value) -> Value {
    let mut body = Body::new(id, "no-mfa", &["a@example.com"]).json();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

async fn events(exporter: &Exporter, name: &str) -> Vec<Value> {
    let (status, page) =
        exporter.api("GET", &format!("/events?name={name}&limit=1000"), None).await;
    assert_eq!(status, 200, "{page}");
    page["events"].as_array().unwrap().clone()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_side_field_of_another_type_is_read_and_noted() {
    for (pointer, value, says) in [
        ("/detail/severity", json!(3), "detail.severity: a number, read as \"3\""),
        ("/detail/published", json!(1_764_072_000), "read as 2025-11-25T12:00:00Z"),
        ("/detail/published", json!(1_764_072_000_000_i64), "read as 2025-11-25T12:00:00Z"),
        ("/detail/published", json!("1764072000"), "read as 2025-11-25T12:00:00Z"),
        ("/detail/published", json!("2025-11-25 12:00:00"), "read as 2025-11-25T12:00:00Z"),
        ("/detail/title", json!({ "en": "x" }), "detail.title: an object"),
        ("/detail/description", json!({ "en": "x" }), "detail.description: an object"),
        ("/detail/recommendedActions", json!(7), "detail.recommendedActions: a number"),
        ("/account", json!(988_897_525_199_i64), "account: a number"),
        ("/region", json!(["eu-west-1"]), "region: a list"),
        ("/time", json!(1_764_072_000), "time: a number"),
        ("/detail/usersFailing", json!("a@example.com"), "detail.usersFailing: a string"),
        ("/detail/usersFailing", json!({ "a@example.com": [] }), "detail.usersFailing: an object"),
        ("/detail/loginDetails", json!({ "a@example.com": [] }), "detail.loginDetails: an object"),
        ("/id", json!(7), "id: a number"),
        ("/id", Value::Null, "id: missing"),
    ] {
        let exporter = Setup::new().start().await;
        let body = changed("1", pointer, value);
        assert_eq!(exporter.deliver(&body).await, 200, "{body}");
        let failed = events(&exporter, "cii.check.failed").await;
        assert_eq!(failed.len(), 1, "{body}");
        assert_eq!(failed[0]["login"], "a@example.com");
        let delivery = &events(&exporter, "cii.check.delivery").await[0];
        let notes = delivery["attributes"]["cii.delivery.notes"].to_string();
        let notes = notes.replace("\\\"", "\"");
        assert!(notes.contains(says), "{says}: {notes}");
        match pointer {
            "/detail/severity" => assert_eq!(failed[0]["severity"], "3"),
            "/detail/published" => assert_eq!(failed[0]["happened_at"], "2025-11-25T12:00:00Z"),
            _ => {}
        }
        // An exact repeat is known, whatever its id is made of.
        assert_eq!(exporter.deliver(&body).await, 200);
        assert_eq!(events(&exporter, "cii.check.delivery").await.len(), 1, "{body}");
        exporter.stop().await;
    }
}

#[tokio::test]
async fn one_unusable_login_costs_only_itself() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.metrics().await.get(SKIPPED), Some(0.0));
    let users = json!(["a@example.com", "", "x".repeat(600), null, 7, "b@example.com"]);
    let body = changed("1", "/detail/usersFailing", users);
    assert_eq!(exporter.deliver(&body).await, 200);
    let failed = events(&exporter, "cii.check.failed").await;
    let logins: Vec<_> = failed.iter().map(|event| &event["login"]).collect();
    assert_eq!(logins, ["a@example.com", "7", "b@example.com"]);
    assert_eq!(exporter.metrics().await.get(SKIPPED), Some(3.0));
    let log = exporter.until_logged("1 empty").await;
    assert!(log.contains("1 too long") && !log.contains("xxx"), "{log}");

    // All unusable: the check is learnt, and nothing opens.
    let mut body = Body::new("2", "other", &[""]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    let metrics = exporter.metrics().await;
    let failing = "cii_check_failing_users{check_id=\"other\",severity=\"high\"}";
    assert_eq!((metrics.get(failing), metrics.get(SKIPPED)), (Some(0.0), Some(4.0)));

    // A user without a check is kept and opens nothing.
    body["id"] = json!("3");
    body["detail"] = json!({ "usersFailing": ["c@example.com"] });
    assert_eq!(exporter.deliver(&body).await, 200);
    assert_eq!(events(&exporter, "cii.check.failed").await.len(), 3);
    let kept = &events(&exporter, "cii.check.delivery").await[2];
    assert_eq!(kept["attributes"]["cii.delivery.users_failing"], 1);
}

#[tokio::test]
async fn direct_messages_come_under_any_type_and_frameworks_go_onto_the_event() {
    let exporter = Setup::new().start().await;
    for (number, detail_type) in ["FAILED_CHECK", "", "DIRECT_MESSAGE"].iter().enumerate() {
        let check = format!("check-{number}");
        let source = "5f0c7d1e-8a43-4c52-9b1f-6e2d7a90c3b4__1b2c3d4e";
        let body = json!({
            "id": check, "detail-type": detail_type, "source": source,
            "time": "2026-03-02T07:00:04Z",
            "detail": {
                "id": "detail-id", "checkId": check, "login": "ana@example.com",
                "explainabilityDetails": [{ "key": "userTitle", "value": "Accountant" }],
                "frameworks": ["MITRE ATT&CK"],
            },
        });
        assert_eq!(exporter.deliver(&body).await, 200);
        let failed = events(&exporter, "cii.check.failed").await;
        let attributes = &failed[number]["attributes"];
        assert_eq!(attributes["cii.check.frameworks"], json!(["MITRE ATT&CK"]));
        assert_eq!(attributes["cii.check.explanation"], json!(["userTitle: Accountant"]));
        assert_eq!(attributes["cii.delivery.detail_id"], "detail-id");
        assert_eq!(attributes["cii.delivery.sent_at"], "2026-03-02T07:00:04Z");
        assert_eq!(attributes["cii.delivery.source"], source);
        assert_eq!(attributes["cii.tenant.id"], "5f0c7d1e-8a43-4c52-9b1f-6e2d7a90c3b4");
    }
}

#[tokio::test]
async fn gzip_is_unpacked_within_the_limit() {
    let exporter = Setup::new().webhook("max_body_bytes = 4096").start().await;
    let body = |id: &str| Body::new(id, "no-mfa", &[id]).json().to_string().into_bytes();
    for (id, encoding) in [("a", "gzip"), ("b", "GZip"), ("c", "x-gzip"), ("d", "identity, gzip")] {
        assert_eq!(exporter.post_encoded(packed(&body(id)), encoding).await.0, 200, "{encoding}");
    }
    assert_eq!(exporter.post_encoded(body("e"), "identity").await.0, 200);
    let whole = body("f");
    let members = [packed(&whole[..100]), packed(&whole[100..])].concat();
    assert_eq!(exporter.post_encoded(members, "gzip").await.0, 200);
    assert_eq!(events(&exporter, "cii.check.failed").await.len(), 6);

    let bomb = packed(&vec![b' '; 100_000_000]);
    assert!(exporter.post_encoded(bomb, "gzip").await.0 == 413);
    assert_eq!(exporter.post_encoded(packed(&[b' '; 5000]), "gzip").await.0, 413);
    let mut cut = packed(&body("g"));
    cut.truncate(cut.len() - 9);
    for damaged in [cut, body("g"), b"\x1f\x8b\x08".to_vec()] {
        let (status, text) = exporter.post_encoded(damaged, "gzip").await;
        assert!(status == 400 && text.contains("gzip"), "{status} {text}");
    }
    for encoding in ["br", "deflate", "zstd", "gzip, br"] {
        let (status, text) = exporter.post_encoded(packed(&body("g")), encoding).await;
        assert!(status == 415 && text.contains(encoding) && text.contains("gzip"), "{text}");
    }
    assert_eq!(events(&exporter, "cii.check.failed").await.len(), 6);
}

#[tokio::test]
async fn a_byte_order_mark_is_dropped() {
    let exporter = Setup::new().start().await;
    let mut body = b"\xef\xbb\xbf".to_vec();
    body.extend(Body::new("1", "no-mfa", &["a"]).json().to_string().into_bytes());
    assert_eq!(exporter.post(body.clone()).await.unwrap().0, 200);
    assert_eq!(exporter.post_encoded(packed(&body), "gzip").await.0, 200);
    assert_eq!(events(&exporter, "cii.check.failed").await.len(), 1);
}

#[tokio::test]
async fn half_an_emoji_costs_only_itself() {
    let exporter = Setup::new().start().await;
    let body = Body::new("1", "no-mfa", &["a@example.com", "bCUT"]).json();
    let body = body.to_string().replace("Title", "\\ud83d Title").replace("CUT", "\\udc00");
    assert!(body.contains("\\ud83d") && body.contains("\\udc00"));
    assert_eq!(exporter.post(body).await.unwrap().0, 200);
    let failed = events(&exporter, "cii.check.failed").await;
    let logins: Vec<_> = failed.iter().map(|event| &event["login"]).collect();
    assert_eq!(logins, ["a@example.com", "b\u{fffd}"]);
    assert_eq!(failed[0]["attributes"]["cii.check.title"], "\u{fffd} Title of no-mfa");
}

#[tokio::test]
async fn a_delivery_dated_in_the_future_began_when_it_came() {
    let exporter = Setup::new().start().await;
    let body = changed("1", "/detail/published", json!(4_000_000_000_u32));
    assert_eq!(exporter.deliver(&body).await, 200);
    let (_, page) = exporter.api("GET", "/checks/no-mfa/users", None).await;
    let since = page["users"][0]["since"].as_str().unwrap();
    assert!(since < "2090", "{since}");
    let (_, page) = exporter.api("GET", "/deliveries", None).await;
    let delivery = &page["deliveries"][0];
    assert_eq!(delivery["published_at"], delivery["received_at"], "{delivery}");
    for event in events(&exporter, "cii.check.failed").await {
        assert_eq!(event["happened_at"], delivery["received_at"], "{event}");
    }
    // Its words are no newer than those that come after it.
    let mut renamed = changed("2", "/detail/title", json!("Renamed"));
    renamed["detail"]["published"] = json!(cii_exporter::clock::now());
    assert_eq!(exporter.deliver(&renamed).await, 200);
    let (_, page) = exporter.api("GET", "/checks", None).await;
    assert_eq!(page["checks"][0]["title"], "Renamed");
}
