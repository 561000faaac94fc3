//! Deliveries can be seen: what came, what was refused and why, and again.

use std::time::Duration;

use cii_exporter::{domain::Timestamp, ledger::change::RecordRefused, store::Store};
use serde_json::{Value, json};

use crate::harness::{Body, Exporter, Lock, SECRET, Setup, close, in_less_than, until};

async fn list(exporter: &Exporter, query: &str) -> Vec<Value> {
    let (status, page) = exporter.api("GET", &format!("/deliveries{query}"), None).await;
    assert_eq!(status, 200, "{page}");
    page["deliveries"].as_array().unwrap().clone()
}

async fn single(exporter: &Exporter, number: &Value) -> Value {
    let (status, delivery) = exporter.api("GET", &format!("/deliveries/{number}"), None).await;
    assert_eq!(status, 200, "{delivery}");
    delivery
}

/// Waits until so many refused deliveries are listed: an answer does not wait for its row for long.
async fn until_refused(exporter: &Exporter, count: usize) -> Vec<Value> {
    until(&format!("{count} refused deliveries"), || async {
        let refused = list(exporter, "?refused=true").await;
        (refused.len() == count).then_some(refused)
    })
    .await
}

/// A refused delivery as an older exporter left it an hour ago; when that was.
async fn refused_once(setup: &Setup, body: &str) -> Timestamp {
    let at = cii_exporter::clock::now() - Duration::from_hours(1);
    let at = Timestamp::from_timestamp(at.timestamp(), 0).unwrap();
    let (store, writer) = Store::open(&setup.database()).unwrap();
    let refused = RecordRefused {
        received_at: at,
        status: 400,
        result: "malformed",
        reason: "of then".to_owned(),
        size: Some(body.len()),
        body: Some(body.as_bytes().to_vec().into()),
        is_packed: false,
    };
    store.commit(refused).await.unwrap();
    close(store, writer, &setup.database()).await;
    at
}

#[tokio::test]
async fn of_a_delivery_all_is_kept_and_shown() {
    let exporter = Setup::new().start().await;
    let mut body = Body::new("d1", "no-mfa", &["a", "b"]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    assert_eq!(exporter.deliver(&body).await, 200);
    body["id"] = json!("d2");
    body["detail"]["usersFailing"] = json!(["a", "", "c"]);
    assert_eq!(exporter.deliver(&body).await, 200);

    let found = list(&exporter, "").await;
    let (second, first) = (&found[0], &found[1]);
    assert_eq!(
        (&first["id"], &first["result"], &first["repeats"]),
        (&json!("d1"), &json!("accepted"), &json!(1))
    );
    assert!(first["number"].as_i64() < second["number"].as_i64());
    assert!(first["last_repeat_at"].is_string());
    for (name, value) in [
        ("id", json!("d2")),
        ("detail_id", json!("detail-d1")),
        ("sent_at", json!("2026-01-02T03:04:05Z")),
        ("detail_type", json!("FAILED_CHECK")),
        ("source", json!("tests")),
        ("account", json!("123456789012")),
        ("region", json!("eu-central-1")),
        ("check_id", json!("no-mfa")),
        ("title", json!("Title of no-mfa")),
        ("severity", json!("high")),
        ("status", json!(200)),
        ("users_failing", json!(2)),
        ("users_newly_failing", json!(1)),
        ("users_known", json!(1)),
        ("logins_skipped", json!(1)),
        ("size", json!(body.to_string().len())),
        ("has_body", json!(true)),
    ] {
        assert_eq!(second[name], value, "{name}");
    }
    assert!(second["notes"].to_string().contains("1 empty"));
    let shown = single(&exporter, &second["number"]).await;
    assert_eq!((&shown["known_users"], &shown["body"]), (&json!(["a"]), &json!(body.to_string())));
    let by_envelope = exporter.api("GET", "/deliveries/d2", None).await;
    assert_eq!(by_envelope, (200, shown));

    let (_, checks) = exporter.api("GET", "/checks", None).await;
    let last = &checks["checks"][0]["last_delivery"];
    for name in
        ["number", "id", "detail_type", "region", "account", "source", "sent_at", "published_at"]
    {
        assert_eq!(last[name], second[name], "{name}");
    }
    let page = exporter.api("GET", "/deliveries?limit=1", None).await.1;
    assert_eq!(page["next_cursor"], second["number"]);
    let cursor = page["next_cursor"].to_string();
    assert_eq!(list(&exporter, &format!("?limit=1&cursor={cursor}")).await, found[1..]);
}

#[tokio::test]
async fn a_200_that_changes_nothing_says_why() {
    let exporter = Setup::new().webhook("check_ids = [\"wanted\", \"bare\"]").start().await;
    let post = async |body: Value| {
        let (status, text) = exporter.post(body.to_string()).await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        (status, answer["reason"].as_str().unwrap_or_default().to_owned())
    };
    let body = |id: &str, check: &str, users: &[&str]| Body::new(id, check, users).json();
    assert_eq!(post(body("1", "wanted", &["a"])).await, (200, String::new()));
    let no_check = json!({ "id": "5", "detail": { "login": "a" } });
    let strange = json!({ "id": "6", "detail-type": "SOMETHING_NEW" });
    for (body, reason) in [
        (body("1", "wanted", &["a"]), "duplicate of delivery 1"),
        (body("2", "unwanted", &["a"]), "webhook.check_ids"),
        (body("3", "wanted", &["a"]), "known to fail already"),
        (body("4", "bare", &[]), "names no user"),
        (no_check, "names no check"),
        (strange, "type is not known"),
    ] {
        let (status, told) = post(body).await;
        assert!(status == 200 && told.contains(reason), "{reason}: {told}");
        until(reason, || async { exporter.log().contains(reason).then_some(()) }).await;
    }
    let reasons: Vec<_> =
        list(&exporter, "").await.iter().map(|row| row["reason"].to_string()).collect();
    assert_eq!(reasons.len(), 6);
    assert_eq!(reasons.iter().filter(|reason| *reason == "null").count(), 1, "{reasons:?}");
}

#[tokio::test]
async fn what_was_refused_is_kept_with_its_reason() {
    let exporter = Setup::new().webhook("max_body_bytes = 200000").start().await;
    let post = async |body: String| exporter.post(body).await.unwrap().0;
    let hostile = "{\"id\":\"x\",\"title\":\"<script>alert(1)</script>\"";
    assert_eq!(post(hostile.to_owned()).await, 400);
    let nothing = json!({ "id": "x", "detail": { "title": "t" } }).to_string();
    assert_eq!(post(nothing.clone()).await, 400);
    assert_eq!(post("x".repeat(100_000)).await, 400);
    assert_eq!(post(" ".repeat(200_001)).await, 413);
    assert_eq!(exporter.post_encoded(b"{}".to_vec(), "br").await.0, 415);
    assert_eq!(exporter.post_encoded(b"\x1f\x8b\xff".to_vec(), "gzip").await.0, 400);
    // Whoever has no secret fills no list.
    let stranger = reqwest::Client::new().post(&exporter.webhook_url).body("stranger");
    assert_eq!(stranger.send().await.unwrap().status(), 401);

    let refused = until_refused(&exporter, 6).await;
    let column = |name: &str| refused.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("status"), [400, 415, 413, 400, 400, 400].map(Value::from));
    assert_eq!(column("has_body"), [true, false, false, true, true, true].map(Value::from));
    assert_eq!(refused[2]["size"], 200_001);
    let (long, second, first) = (&refused[3], &refused[4], &refused[5]);
    assert!(second["reason"].as_str().unwrap().contains("neither a check nor a user"));
    assert_eq!(single(&exporter, &first["number"]).await["body"], hostile);
    let long = single(&exporter, &long["number"]).await;
    assert_eq!((long["body"].as_str().unwrap().len(), &long["size"]), (65536, &json!(100_000)));
    assert_eq!(long["body_is_cut"], true);
    assert_eq!(single(&exporter, &refused[0]["number"]).await["body_is_packed"], true);

    let good = Body::new("1", "no-mfa", &["a"]).json();
    assert_eq!(exporter.deliver(&good).await, 200);
    assert_eq!(list(&exporter, "?refused=false").await.len(), 1);
    assert_eq!(list(&exporter, "").await.len(), 7);
    let listed = exporter.run(&["deliveries", "--refused"]).await;
    assert!(listed.code == 0 && listed.output.contains("neither a check"), "{listed:?}");
    let json = exporter.run(&["deliveries", "--json", "--limit", "2"]).await.json();
    assert_eq!(json["deliveries"].as_array().unwrap().len(), 2);
    let number = second["number"].to_string();
    let shown = exporter.run(&["deliveries", "show", &number]).await;
    assert!(shown.output.contains(&nothing), "{shown:?}");

    // The page has the body as text, never as markup.
    for path in ["/deliveries".to_owned(), format!("/deliveries/{}", first["number"])] {
        let (status, page) = exporter.get(&path).await;
        assert!(status == 200 && page.contains("&lt;script&gt;"), "{page}");
        assert!(!page.contains("<script>alert") && !page.contains(SECRET), "{page}");
    }
    let setup = exporter.stop().await;
    assert_eq!(
        setup.run(&["deliveries", "--json"]).await.json()["deliveries"].as_array().unwrap().len(),
        7
    );
}

#[tokio::test]
async fn only_the_last_hundred_bodies_are_kept() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.post_encoded(Vec::new(), "br").await.0, 415);
    for number in 0..105 {
        assert_eq!(exporter.post(format!("not JSON {number}")).await.unwrap().0, 400);
    }
    let newest = until("the last one's body", || async {
        let newest = list(&exporter, "?refused=true&limit=1").await[0]["number"].clone();
        (single(&exporter, &newest).await["body"] == "not JSON 104").then_some(newest)
    })
    .await;
    let refused = list(&exporter, "?refused=true&limit=1000").await;
    assert_eq!((refused.len(), &refused[0]["number"]), (101, &newest));
    assert_eq!(single(&exporter, &refused[99]["number"]).await["body"], "not JSON 5");
    assert_eq!(refused[100]["status"], 415);
}

#[tokio::test]
async fn a_busy_store_holds_up_no_refusal_and_loses_none() {
    let exporter = Setup::new().start().await;
    let lock = Lock::of(&exporter.database());
    let tries = in_less_than(Duration::from_millis(1500), || async {
        assert_eq!(exporter.post("{").await.unwrap().0, 400);
    })
    .await;
    let good = Body::new("1", "no-mfa", &["a"]).json();
    assert_eq!(exporter.deliver(&good).await, 503);
    let refused = until_refused(&exporter, tries + 1).await;
    assert!(refused.iter().all(|row| row["number"].is_null()), "{refused:?}");
    assert_eq!((&refused[0]["status"], &refused[1]["status"]), (&json!(503), &json!(400)));
    drop(lock);
    let listed = exporter.run(&["deliveries", "--refused"]).await;
    assert!(listed.output.contains("in memory only"), "{listed:?}");
    assert_eq!(exporter.deliver(&good).await, 200);
}

#[tokio::test]
async fn a_delivery_goes_through_the_door_again() {
    let good = Body::new("late", "no-mfa", &["a"]).json().to_string();
    let setup = Setup::new().start().await.stop().await;
    let came_at = refused_once(&setup, &good).await;
    refused_once(&setup, "still wrong").await;
    let exporter = setup.start().await;
    let (first, second) = ("1", "2");

    let (status, replayed) = exporter.api("POST", "/deliveries/1/replay", None).await;
    assert_eq!((status, &replayed["result"]), (200, &json!("accepted")), "{replayed}");
    let taken = single(&exporter, &replayed["number"]).await;
    assert_eq!((&taken["id"], &taken["received_at"]), (&json!("late"), &json!(came_at)));
    assert_eq!(single(&exporter, &json!(1)).await["replayed_as"], replayed["number"]);
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(exporter.metrics().await.get(failing), Some(1.0));
    // A second time it is known, and so is one that was taken at once.
    for number in [first.to_owned(), replayed["number"].to_string()] {
        let again = exporter.run(&["deliveries", "replay", &number]).await;
        assert!(again.code == 0 && again.output.contains("duplicate"), "{again:?}");
    }
    let wrong = exporter.run(&["deliveries", "replay", second]).await;
    assert!(wrong.code == 1 && wrong.errors.contains("refused again"), "{wrong:?}");
    for (path, status) in [("/deliveries/99/replay", 404), ("/deliveries/none/replay", 404)] {
        assert_eq!(exporter.api("POST", path, None).await.0, status);
    }
    assert_eq!(exporter.post_encoded(Vec::new(), "br").await.0, 415);
    let bodiless = until("the one without a body", || async {
        let newest = list(&exporter, "?refused=true").await[0].clone();
        (newest["status"] == 415).then(|| newest["number"].clone())
    })
    .await;
    assert_eq!(exporter.api("POST", &format!("/deliveries/{bodiless}/replay"), None).await.0, 409);
    assert_eq!(exporter.metrics().await.get(failing), Some(1.0));
}

#[tokio::test]
async fn the_file_alone_is_enough_for_a_replay() {
    let setup = Setup::new().start().await.stop().await;
    refused_once(&setup, &Body::new("late", "no-mfa", &["a"]).json().to_string()).await;
    let ended = setup.run(&["deliveries", "replay", "1"]).await;
    assert!(ended.code == 0 && ended.output.contains("accepted as delivery 2"), "{ended:?}");
    let exporter = setup.start().await;
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(exporter.metrics().await.get(failing), Some(1.0));
}

#[tokio::test]
async fn what_was_filtered_out_counts_once_its_check_is_wanted() {
    let mut exporter = Setup::new().webhook("check_ids = [\"other\"]").start().await;
    for id in ["1", "2"] {
        assert_eq!(exporter.deliver(&Body::new(id, "no-mfa", &[id]).json()).await, 200);
    }
    let replayed = exporter.api("POST", "/deliveries/1/replay", None).await.1;
    assert_eq!(replayed["number"], 1, "{replayed}");
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    assert_eq!(exporter.metrics().await.get(failing), None);

    let wider = Setup::webhook;
    let setup = std::mem::replace(exporter.setup(), Setup::new());
    *exporter.setup() = wider(setup, "check_ids = []");
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    assert_eq!(reload.send().await.unwrap().status(), 200);
    let replayed = exporter.api("POST", "/deliveries/1/replay", None).await.1;
    assert_eq!((&replayed["result"], &replayed["number"]), (&json!("accepted"), &json!(1)));
    assert_eq!(exporter.metrics().await.get(failing), Some(1.0));
    // The sender's own repeat counts as well.
    assert_eq!(exporter.deliver(&Body::new("2", "no-mfa", &["2"]).json()).await, 200);
    assert_eq!(exporter.metrics().await.get(failing), Some(2.0));
}

#[tokio::test]
async fn a_test_message_goes_through_the_own_door() {
    let exporter = Setup::new().start().await;
    let ended = exporter.run(&["webhook", "test"]).await;
    assert!(ended.code == 0 && ended.output.contains("taken as delivery 1"), "{ended:?}");
    assert_eq!(
        exporter.metrics().await.get("cii_webhook_requests_total{result=\"test\"}"),
        Some(1.0)
    );
    // It shows that the listener works, and nothing of the service.
    let last = "cii_webhook_last_delivery_timestamp_seconds";
    assert_eq!(exporter.metrics().await.get(last), None);
    let (_, page) = exporter.get("/").await;
    assert!(page.contains("First steps") && page.contains("Nothing arrived yet"), "{page}");
    let url = exporter.webhook_url.clone();
    assert_eq!(exporter.run(&["webhook", "test", "--url", &url]).await.code, 0);
    let ended = exporter.run(&["webhook", "test", "--url", &format!("{url}/elsewhere")]).await;
    assert!(ended.code == 1 && ended.errors.contains("webhook.path"), "{ended:?}");
    let (_, listener) = exporter.api("GET", "/webhook", None).await;
    assert_eq!(
        (&listener["url"], &listener["header"]),
        (&json!(url), &json!("x-api-client-token"))
    );
    assert!(!listener.to_string().contains(SECRET));
    let setup = exporter.stop().await;
    let ended = setup.run(&["webhook", "test"]).await;
    assert!(ended.code == 1 && !ended.errors.contains(SECRET), "{ended:?}");
    assert!(ended.errors.contains("cii-exporter run"), "{ended:?}");
}
