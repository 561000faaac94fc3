//! Secrets come in by files, variables and credentials, and nowhere out.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cii_simulator::{Options, Simulator};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use tempfile::TempDir;

use crate::harness::{Body, Exporter, Protocol, Receiver, SECRET, Setup, until};

const BEARER: &str = "bearer-a59d6c2e71";
const PASSWORD: &str = "password-0b1f93d4aa";
const WRITE_TOKEN: &str = "write-token-77c2e0d15b";
const OTLP_TOKEN: &str = "otlp-token-e1937ab2c4";
const HASH_KEY: &str = "hash-key-41d0c6f29e83b7";
const PAGE_PASSWORD: &str = "page-password-9c83d1";
const WRONG: &str = "wrong-secret-5d2b90e7";

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A daemon with every secret there is, that says all it can.
async fn start(
    simulator: &Simulator,
    receiver: &Receiver,
    protocol: Protocol,
    hash: &str,
) -> (Exporter, TempDir) {
    let files = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let users = file("web-config.yml", &format!("basic_auth_users:\n  ops: {hash}\n"));
    let hash_key = file("hash-key", HASH_KEY);
    let headers = file("headers", &format!("authorization=Bearer {OTLP_TOKEN}\n"));
    let format = if matches!(protocol, Protocol::Grpc) { "text" } else { "json" };
    let setup = Setup::new()
        .webhook(&format!("bearer_file = \"{}\"", file("bearer", BEARER)))
        .ops(&format!("web_config = \"{users}\"\nwrite_token = \"{WRITE_TOKEN}\""))
        .polling(simulator, "* * * * * *")
        .listing()
        .sending(receiver, protocol)
        .tables(&format!("user_label = \"hash\"\nheaders_file = \"{headers}\""))
        .tables(&format!("[webhook.basic]\nuser = \"cii\"\npassword = \"{PASSWORD}\""))
        .tables(&format!("[metrics]\nuser_label = \"hash\"\nhash_key_file = \"{hash_key}\""))
        .tables(&format!("[log]\nformat = \"{format}\""))
        .variable("RUST_LOG", "trace");
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, basic("ops", PAGE_PASSWORD).parse().unwrap());
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    (setup.start_with(http).await, files)
}

/// Sends a delivery with this header.
async fn send(exporter: &Exporter, id: &str, name: &str, value: &str) -> (u16, String) {
    let request = reqwest::Client::new()
        .post(&exporter.webhook_url)
        .header(name, value)
        .json(&Body::new(id, "no-mfa", &["ann@example.com"]).json());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Everything that the daemon writes while it does all that it can.
async fn written_by(protocol: Protocol) -> (String, Vec<String>) {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let hash = bcrypt::hash(PAGE_PASSWORD, 4).unwrap();
    let (mut exporter, _files) = start(&simulator, &receiver, protocol, &hash).await;
    let mut written = Vec::new();
    let cii = basic("cii", PASSWORD);
    let right = [("x-api-client-token", SECRET), ("authorization", &cii)];
    for (number, (name, value)) in
        right.into_iter().chain([("authorization", &*format!("Bearer {BEARER}"))]).enumerate()
    {
        let (status, answer) = send(&exporter, &number.to_string(), name, value).await;
        assert_eq!(status, 200, "{name}");
        written.push(answer);
    }
    for (name, value) in [("x-api-client-token", WRONG), ("authorization", &basic("cii", WRONG))] {
        let (status, answer) = send(&exporter, "wrong", name, value).await;
        assert_eq!(status, 401);
        written.push(answer);
    }
    assert_eq!(exporter.post("{").await.unwrap().0, 400);
    receiver.until_received(3).await;
    // The token is asked for again, and refused once.
    let mut tokens = simulator.tokens();
    simulator.revoke_tokens();
    until("another token", || async { (!simulator.tokens().is_empty()).then_some(()) }).await;
    tokens.extend(simulator.tokens());
    let paths = [
        "/",
        "/deliveries",
        "/deliveries/1",
        "/users/ann@example.com",
        "/checks/no-mfa",
        "/metrics",
        "/-/ready",
        "/api/v1/status",
        "/api/v1/events",
        "/api/v1/deliveries",
        "/api/v1/deliveries/1",
        "/api/v1/watch",
        "/api/v1/checks",
    ];
    for path in paths {
        let (status, page) = exporter.get(path).await;
        assert!([200, 404].contains(&status), "{path} {status}");
        written.push(page);
    }
    let add = serde_json::json!({ "kind": "user", "subject": "ben@example.com" });
    written.push(exporter.api("POST", "/watch", Some(&add)).await.1.to_string());
    exporter.setup().set_watch("users = [\"cat@example.com\"]");
    exporter.setup().write_config();
    exporter.signal("HUP");
    until("the reload", || async {
        exporter.get("/api/v1/watch").await.1.contains("cat@example.com").then_some(())
    })
    .await;
    let config = exporter.setup().config_file();
    for arguments in [
        &["check-config"][..],
        &["watch", "list"],
        &["deliveries"],
        &["deliveries", "--refused"],
        &["otlp", "status"],
        &["webhook", "list"],
        &["user", "ann@example.com"],
    ] {
        let mut command = Setup::command(arguments, &config);
        command.env("RUST_LOG", "trace");
        let ended = command.output().await.unwrap();
        for text in [ended.stdout, ended.stderr] {
            written.push(String::from_utf8_lossy(&text).into_owned());
        }
    }
    written.extend(receiver.received().iter().map(ToString::to_string));
    let log = exporter.log();
    assert!(log.contains("TRACE"), "{log}");
    written.push(log);
    let setup = exporter.stop().await;
    written.push(stored(setup.database().parent().unwrap()));
    let mut secrets: Vec<_> =
        [SECRET, BEARER, PASSWORD, WRITE_TOKEN, OTLP_TOKEN, HASH_KEY, PAGE_PASSWORD, WRONG]
            .map(str::to_owned)
            .into();
    secrets.push(simulator.client_secret().to_owned());
    secrets.extend(
        [("cii", PASSWORD), ("ops", PAGE_PASSWORD), ("cii", WRONG)]
            .map(|(user, password)| basic(user, password).trim_start_matches("Basic ").to_owned()),
    );
    secrets.push(hash);
    assert!(tokens.len() > 1);
    secrets.extend(tokens);
    (written.join("\n"), secrets)
}

/// The files of the store.
fn stored(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "config.toml" {
            text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
    text
}

/// Where a secret stands in a text.
fn found(written: &str, secrets: &[String]) -> Vec<String> {
    let around = |(at, _): (usize, &str)| {
        let line = written[..at].rfind('\n').map_or(0, |end| end + 1);
        written[line..].chars().take(400).collect::<String>()
    };
    secrets
        .iter()
        .flat_map(|secret| written.match_indices(secret.as_str()).take(3).map(around))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_it_does_it_writes_no_secret_anywhere() {
    let (by_http, by_grpc) = tokio::join!(written_by(Protocol::Http), written_by(Protocol::Grpc));
    for (written, secrets) in [by_http, by_grpc] {
        let found = found(&written, &secrets);
        assert!(found.is_empty(), "{} times: {found:#?}", found.len());
        // What is there is found.
        assert!(!self::found(&written, &["ann@example.com".to_owned()]).is_empty());
    }
}

#[tokio::test]
async fn a_text_from_outside_writes_no_line_of_the_log() {
    let exporter = Setup::new().start().await;
    let check = "no-mfa\u{1b}[2J\n2026-01-01T00:00:00Z ERROR forged \u{202e}";
    assert_eq!(exporter.deliver(&Body::new("1", check, &["ann@example.com"]).json()).await, 200);
    until("the line", || async {
        exporter.log().contains("webhook delivery recorded").then_some(())
    })
    .await;
    let log = exporter.log();
    let line = log.lines().find(|line| line.contains("webhook delivery recorded")).unwrap();
    assert!(line.contains("no-mfa\\u{1b}[2J\\n2026-01-01T00:00:00Z ERROR forged"), "{line}");
    assert!(!log.contains(['\u{1b}', '\u{202e}']), "{log}");
}

#[tokio::test]
async fn a_secret_that_was_exchanged_is_gone_from_memory() {
    const KINDS: [&str; 4] = ["bearer", "password", "write", "hash"];
    let files = TempDir::new().unwrap();
    let path = |kind: &str| files.path().join(kind).display().to_string();
    let secret = |kind: &str, age: &str| format!("{kind}-{age}-94c0b2e61f7a");
    let write = |age: &str| {
        for kind in KINDS {
            fs::write(path(kind), secret(kind, age)).unwrap();
        }
    };
    write("old");
    let exporter = Setup::new()
        .webhook(&format!("bearer_file = \"{}\"", path("bearer")))
        .ops(&format!("write_token_file = \"{}\"", path("write")))
        .tables(&format!("[webhook.basic]\nuser = \"cii\"\npassword_file = {:?}", path("password")))
        .tables(&format!("[metrics]\nuser_label = \"hash\"\nhash_key_file = \"{}\"", path("hash")))
        .start()
        .await;
    for kind in KINDS {
        assert!(exporter.remembers(&secret(kind, "old")), "{kind}");
    }
    write("new");
    exporter.signal("HUP");
    for kind in KINDS {
        until(&format!("the new {kind}"), || async {
            exporter.remembers(&secret(kind, "new")).then_some(())
        })
        .await;
        until(&format!("the old {kind} gone"), || async {
            (!exporter.remembers(&secret(kind, "old"))).then_some(())
        })
        .await;
    }
}
