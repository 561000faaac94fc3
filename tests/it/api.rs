//! The JSON API: what the store knows, for programs.

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::{Value, json};

use crate::harness::{Body, Exporter, SECRET, Setup, tool, until};

const ZOE: &str = "zoe@example.com";

async fn get(exporter: &Exporter, path: &str) -> Value {
    let (status, text) = exporter.get(path).await;
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

async fn problem(exporter: &Exporter, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{}{path}", exporter.ops_url)).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn checks_and_who_fails_them_page_by_page() {
    let exporter = Setup::new().start().await;
    let checks = get(&exporter, "/api/v1/checks").await;
    assert_eq!((&checks["checks"], &checks["failing_people"]), (&json!([]), &json!(0)));
    assert_eq!(checks["listing"]["state"], "no_api");
    let users = ["c", "a", "b/../x?y"];
    assert_eq!(
        exporter
            .deliver(&Body::new("1", "odd/id", &users).json_of("2026-01-02T03:04:05.678Z"))
            .await,
        200
    );
    let checks = get(&exporter, "/api/v1/checks").await;
    let check = &checks["checks"][0];
    assert_eq!(
        (&check["id"], &check["title"], &check["severity"], &check["failing_users"]),
        (&json!("odd/id"), &json!("Title of odd/id"), &json!("high"), &json!(3))
    );
    assert_eq!(check["description"], json!(["What it looks for."]));
    assert_eq!(check["recommended_actions"], json!(["What to do."]));
    assert_eq!(check["totals"], json!({ "failures": 3, "resolutions": 0 }));
    assert_eq!(check["failing_since"], "2026-01-02T03:04:05.678Z");

    let page = get(&exporter, "/api/v1/checks/odd%2Fid/users?limit=2").await;
    let logins = |page: &Value| -> Vec<Value> {
        page["users"].as_array().unwrap().iter().map(|user| user["login"].clone()).collect()
    };
    assert_eq!(logins(&page), ["a", "b/../x?y"]);
    assert_eq!(page["users"][0]["since"], "2026-01-02T03:04:05.678Z");
    assert_eq!(page["next_cursor"], "b/../x?y");
    let rest = "/api/v1/checks/odd%2Fid/users?limit=2&cursor=b%2F..%2Fx%3Fy";
    let page = get(&exporter, rest).await;
    assert_eq!((logins(&page), &page["next_cursor"]), (vec![json!("c")], &Value::Null));

    let user = get(&exporter, "/api/v1/users/b%2F..%2Fx%3Fy").await;
    assert_eq!(user["failing_checks"][0]["check_id"], "odd/id");
    assert_eq!((&user["watch"]["watched"], &user["snapshot"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn users_and_addresses_with_all_that_is_known_of_them() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let mut zoe = User::new(ZOE, "Zoe Example");
        zoe.ip_addresses = vec![IpAddress::new("2001:DB8:0:0::7")];
        zoe.unused_applications = vec!["Jira".to_owned()];
        zoe.used_applications = vec!["Slack".to_owned()];
        zoe.used_factors = vec!["PUSH".to_owned()];
        tenant.add_user(zoe);
    });
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [\"{ZOE}\"]\nips = [\"2001:db8::7\"]"))
        .start()
        .await;
    exporter.until_metric("cii_ip_users{ip=\"2001:db8::7\"}", 1.0).await;
    exporter.until_metric(&format!("cii_user_ip_addresses{{login=\"{ZOE}\"}}"), 1.0).await;

    let user = get(&exporter, "/api/v1/users/zoe@example.com").await;
    assert_eq!(user["watch"]["explanation"], "watched by configuration");
    let snapshot = &user["snapshot"];
    assert_eq!(snapshot["display_name"], "Zoe Example");
    assert_eq!(snapshot["used_applications"], json!(["Slack"]));
    assert_eq!(snapshot["unused_applications"], json!(["Jira"]));
    assert_eq!(snapshot["used_factors"], json!(["PUSH"]));
    assert_eq!(snapshot["ip_addresses"][0]["ip"], "2001:db8::7");
    assert!(snapshot["reference_url"].as_str().unwrap().starts_with("https://"));

    for spelling in ["2001:db8::7", "2001:DB8:0:0:0:0:0:7", "2001%3Adb8%3A%3A7"] {
        let ip = get(&exporter, &format!("/api/v1/ips/{spelling}")).await;
        assert_eq!(ip["ip"], "2001:db8::7");
        let users = &ip["snapshot"]["users"];
        assert_eq!(users[0]["login"], ZOE);
        assert_eq!(users[0]["since"], ip["snapshot"]["first_observed_at"]);
    }

    let guest = "guest@example.com";
    simulator.tenant(|tenant| {
        let mut user = User::new(guest, "Guest");
        user.ip_addresses = vec![IpAddress::new("2001:db8::7")];
        tenant.add_user(user);
    });
    let ip = until("the guest", || async {
        let ip = get(&exporter, "/api/v1/ips/2001:db8::7").await;
        (ip["snapshot"]["users"].as_array().unwrap().len() == 2).then_some(ip)
    })
    .await;
    let users = &ip["snapshot"]["users"];
    assert_eq!((&users[0]["login"], &users[1]["login"]), (&json!(guest), &json!(ZOE)));
    assert_eq!(users[0]["since"], ip["snapshot"]["last_new_user_at"]);
}

#[tokio::test]
async fn the_answers_are_what_the_openapi_document_says() {
    let (exporter, folder) = (Setup::new().start().await, tempfile::TempDir::new().unwrap());
    assert_eq!(
        exporter.deliver(&Body::new("1", "no-mfa", &["alice@example.com"]).json()).await,
        200
    );
    let output = tokio::process::Command::new(tool("venv/bin/schemathesis"))
        .args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis.toml")])
        .args(["run", &format!("{}/api/v1/openapi.json", exporter.ops_url)])
        .args(["--max-examples", "20", "--seed", "1", "--generation-database", "none"])
        .current_dir(folder.path())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_that_says_what_to_do() {
    let exporter = Setup::new().start().await;
    for (path, status, says) in [
        ("/api/v1/ips/203.0.113.0%2F24", 400, "is a range"),
        ("/api/v1/ips/localhost", 400, "is not an IP address"),
        ("/api/v1/ips/203.0.113.7", 404, "watch.ips"),
        ("/api/v1/users/nobody", 404, "watch add user"),
        ("/api/v1/users/%20", 400, "empty"),
        ("/api/v1/users/%FF", 400, "UTF-8"),
        ("/api/v1/checks/none/users", 404, "/api/v1/checks"),
        ("/api/v1/events?limit=0", 400, "from 1 to 1000"),
        ("/api/v1/events?name=internal.user.baseline", 400, "cii.check.failed"),
        ("/api/v1/events?since=yesterday", 400, "2026-01-31T18:00:00Z, a date such as 2026-01-31"),
        ("/api/v1/events?nmae=x", 400, "nmae"),
        ("/api/v1/events?login=a&login=b", 400, "twice"),
        ("/api/v1/events?stream=true&until=2026-01-02T03:04:05Z", 400, "until"),
        ("/api/v1/elsewhere", 404, "openapi.json"),
    ] {
        let (answered, detail) = problem(&exporter, path).await;
        assert!(answered == status && detail.contains(says), "{path}: {answered} {detail}");
    }
    let http = reqwest::Client::new();
    let answer = http.delete(format!("{}/api/v1/checks", exporter.ops_url)).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_log_page_by_page_and_filtered() {
    let exporter = Setup::new().start().await;
    for (id, check, user) in [("1", "no-mfa", "a"), ("2", "no-mfa", "b"), ("3", "vpn", "a")] {
        assert_eq!(exporter.deliver(&Body::new(id, check, &[user]).json()).await, 200);
    }
    let all = get(&exporter, "/api/v1/events").await;
    let events = all["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["name"].as_str().unwrap().starts_with("cii.")));
    assert_eq!((events.len(), &all["has_more"]), (6, &json!(false)));

    // The same events in the same order, two at a time.
    let (mut paged, mut cursor) = (Vec::new(), json!(0));
    loop {
        let page = get(&exporter, &format!("/api/v1/events?limit=2&cursor={cursor}")).await;
        paged.extend(page["events"].as_array().unwrap().clone());
        cursor = page["next_cursor"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(&paged, events);

    for (query, count) in [
        ("name=cii.check.failed", 3),
        ("check_id=no-mfa", 4),
        ("login=a", 2),
        ("login=a&check_id=vpn", 1),
        ("severity=HIGH", 6),
        ("severity=unknown", 0),
        ("ip=203.0.113.7", 0),
        ("since=2020-01-01T00:00:00%2B02:00", 6),
        ("until=2020-01-01T00:00:00Z", 0),
    ] {
        let page = get(&exporter, &format!("/api/v1/events?{query}")).await;
        assert_eq!(page["events"].as_array().unwrap().len(), count, "{query}");
    }
    assert!(!all.to_string().contains(SECRET));
}

#[tokio::test]
async fn a_stream_follows_the_log_until_the_daemon_stops() {
    let mut exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    let http = reqwest::Client::new();
    let url = format!("{}/api/v1/events?name=cii.check.failed", exporter.ops_url);
    let by_header = http.get(format!("{url}&cursor=0")).header("accept", "application/x-ndjson");
    let mut from_begin = by_header.send().await.unwrap();
    let mut from_now = http.get(format!("{url}&stream=true")).send().await.unwrap();
    let changes = format!("{}/api/v1/changes?cursor=0", exporter.ops_url);
    let mut changes = http.get(changes).send().await.unwrap();
    let login = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["login"].clone();

    assert_eq!(login(&from_begin.chunk().await.unwrap().unwrap()), "a");
    assert!(changes.chunk().await.unwrap().unwrap().starts_with(b"event: change\nid: "));
    assert_eq!(exporter.deliver(&Body::new("2", "no-mfa", &["b"]).json()).await, 200);
    for stream in [&mut from_begin, &mut from_now] {
        assert_eq!(login(&stream.chunk().await.unwrap().unwrap()), "b");
    }
    assert!(changes.chunk().await.unwrap().is_some(), "one more message");

    // A limit ends a stream before the daemon does.
    let limited = http.get(format!("{url}&cursor=0&limit=1&stream=true")).send().await.unwrap();
    assert_eq!(limited.text().await.unwrap().lines().count(), 1);
    // Who follows and does not read must not hold the daemon up.
    let _unread = http.get(format!("{url}&cursor=0&stream=true")).send().await.unwrap();
    exporter.signal("TERM");
    assert_eq!(exporter.ended_in_time().await, Some(0), "{}", exporter.log());
    for mut stream in [from_begin, from_now] {
        assert!(stream.chunk().await.unwrap().is_none(), "it ends whole");
    }
    // While nothing happens, a comment keeps the connection open.
    while let Some(rest) = changes.chunk().await.expect("it ends whole") {
        assert!(rest.starts_with(b":"), "{rest:?}");
    }
}
