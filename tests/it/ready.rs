//! Ready means able: the store commits, and says so when it does not.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Body, Exporter, Lock, Setup, alter, until};

async fn parts(exporter: &Exporter) -> (u16, Value) {
    let request = reqwest::Client::new().get(format!("{}/-/ready", exporter.ops_url));
    let answer = request.header("accept", "application/json").send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

#[tokio::test]
async fn while_the_store_cannot_commit_the_daemon_is_not_ready() {
    let exporter = Setup::new().start().await;
    let (status, healthy) = parts(&exporter).await;
    assert_eq!((status, &healthy["ready"]), (200, &Value::Bool(true)), "{healthy}");
    assert_eq!(healthy["store_writes"]["state"], "ok");
    assert_eq!(healthy["api"]["state"], "off");
    assert_eq!(exporter.metrics().await.get("cii_store_up"), Some(1.0));
    // Another program holds the lock that a commit needs.
    let lock = Lock::of(&exporter.database());
    let body = Body::new("1", "no-mfa", &["a@example.com"]).json();
    assert_eq!(exporter.deliver(&body).await, 503);
    let (status, failing) = parts(&exporter).await;
    assert_eq!((status, &failing["ready"]), (503, &Value::Bool(false)), "{failing}");
    assert!(failing["store_writes"]["reason"].as_str().unwrap().contains("locked"), "{failing}");
    let (status, text) = exporter.get("/-/ready").await;
    assert!(status == 503 && text.contains("locked"), "{text}");
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_store_up"), Some(0.0));
    let failures = metrics.get("cii_store_commit_failures_total{reason=\"locked\"}");
    assert!(failures.is_some_and(|failures| failures >= 1.0), "{failures:?}");
    let asked = exporter.run(&["health"]).await;
    assert!(asked.code == 1 && asked.output.contains("locked"), "{asked:?}");
    assert_eq!(exporter.run(&["health", "--live"]).await.code, 0);
    drop(lock);
    until("ready again", || async { (parts(&exporter).await.0 == 200).then_some(()) }).await;
    assert_eq!(exporter.deliver(&body).await, 200);
    exporter.until_logged("the store commits again").await;
    assert_eq!(exporter.metrics().await.get("cii_store_up"), Some(1.0));
}

#[tokio::test]
async fn a_command_asks_how_the_daemon_does_whatever_its_listeners_want() {
    let users = tempfile::NamedTempFile::new().unwrap();
    let hash = bcrypt::hash("password", 4).unwrap();
    std::fs::write(users.path(), format!("basic_auth_users:\n  ops: {hash}\n")).unwrap();
    let http = reqwest::Client::builder();
    let mut basic = reqwest::header::HeaderMap::new();
    basic.insert("authorization", "Basic b3BzOnBhc3N3b3Jk".parse().unwrap());
    let setup = Setup::new().ops(&format!("web_config = \"{}\"", users.path().display()));
    let exporter = setup.start_with(http.default_headers(basic).build().unwrap()).await;
    let able = exporter.run(&["health"]).await;
    assert_eq!(able.code, 0, "{able:?}");
    for line in ["daemon       ok", "store writes ok", "store reads  ok", "api          off"] {
        assert!(able.output.contains(line), "{}", able.output);
    }
    let live = exporter.run(&["health", "--live"]).await;
    assert_eq!((live.code, live.output.as_str()), (0, "healthy\n"));
    // Neither one that was killed nor one that was stopped is taken for alive.
    let setup = exporter.kill().await;
    let killed = setup.run(&["health", "--live"]).await;
    assert!(killed.code == 1 && killed.output.is_empty(), "{killed:?}");
    let stopped = Setup::new().start().await.stop().await.run(&["health"]).await;
    assert!(stopped.code == 1 && stopped.errors.contains("no daemon runs on"), "{stopped:?}");
    let none = Setup::new().run(&["health"]).await;
    assert!(none.code == 1 && none.errors.contains("no daemon runs on"), "{none:?}");
}

type Prepare<'a> = &'a dyn Fn(&Path);

#[tokio::test]
async fn a_start_says_which_file_is_wrong_and_what_to_do() {
    let text = |path: &Path| {
        std::fs::write(path, "no database at all, but long enough\n".repeat(99)).unwrap();
    };
    let foreign = |path: &Path| alter(path, "CREATE TABLE invoice (id INTEGER)");
    let newer_foreign = |path: &Path| {
        alter(path, "CREATE TABLE invoice (id INTEGER); PRAGMA user_version = 3");
    };
    let cases: [(Prepare<'_>, &str); 3] = [
        (&text, "is no SQLite database"),
        (&foreign, "is the database of another program"),
        (&newer_foreign, "is the database of another program"),
    ];
    for (prepare, expected) in cases {
        let setup = Setup::new();
        prepare(&setup.database());
        let ended = setup.run(&["run"]).await;
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.errors.contains(expected), "{ended:?}");
        assert!(ended.errors.contains("store.path"), "{ended:?}");
    }
}
