//! How the daemon starts, reloads and ends.

use std::time::Duration;

use cii_simulator::{Fault, Kind, Options, Simulator};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::harness::{Body, Lock, Metrics, Protocol, Setup, make_older, until};

#[tokio::test]
async fn sigterm_and_sigint_end_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut exporter = Setup::new().start().await;
        assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
        exporter.signal(signal);
        assert_eq!(exporter.ended().await.code(), Some(0), "{}", exporter.log());
        let log = exporter.database().with_extension("db-wal");
        assert!(log.metadata().map_or(0, |meta| meta.len()) == 0, "the log is in the database");
    }
}

#[tokio::test]
async fn a_second_daemon_on_the_same_database_does_not_start() {
    let mut exporter = Setup::new().start().await;
    let config = exporter.setup().config_file();
    let output = Setup::command(&["run"], &config).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("in use by another cii-exporter"), "{message}");
}

#[tokio::test]
async fn a_reload_applies_what_can_change_and_names_what_cannot() {
    let mut exporter = Setup::new().start().await;
    let http = reqwest::Client::new();
    let reload = async |url: &str| {
        let answer = http.post(format!("{url}/-/reload")).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let url = exporter.ops_url.clone();
    let (successful, succeeded_at) =
        ("cii_config_last_reload_successful", "cii_config_last_reload_success_timestamp_seconds");
    let of_start = exporter.metrics().await;
    assert_eq!(of_start.get(successful), Some(1.0));

    let setup = exporter.setup();
    setup.write_config();
    let config = std::fs::read_to_string(setup.config_file()).unwrap();
    let changed = config
        .replace("a-secret-of-the-tests", "another-secret")
        .replace("[watch]\n", "[watch]\nusers = [\"zoe@example.com\"]\n")
        .replace("[webhook]\n", "[webhook]\npath = \"/elsewhere\"\n");
    std::fs::write(setup.config_file(), changed).unwrap();
    let (status, answer) = reload(&url).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["needs_restart"], json!(["webhook.path"]));
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 401);
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_user_failing_checks{login=\"zoe@example.com\"}"), Some(0.0));
    assert_eq!(metrics.get(successful), Some(1.0));
    assert!(metrics.get(succeeded_at) > of_start.get(succeeded_at));

    std::fs::write(exporter.setup().config_file(), "[webhook]\nsecretz = []\n").unwrap();
    let (status, answer) = reload(&url).await;
    assert_eq!(status, 422, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("secretz"), "{answer}");
    let refused = exporter.metrics().await;
    assert_eq!(refused.of_tenant(), metrics.of_tenant());
    assert_eq!(refused.get(successful), Some(0.0));
    assert_eq!(refused.get(succeeded_at), metrics.get(succeeded_at));

    exporter.setup().write_config();
    exporter.signal("HUP");
    exporter.until_metric(successful, 1.0).await;
    until("the old secret holds again", || async {
        let body = Body::new("2", "no-mfa", &["a"]).json();
        (exporter.deliver(&body).await == 200).then_some(())
    })
    .await;
}

/// How it ends while everybody hangs that it talks to: its exit code, and the log.
async fn end_while_everybody_hangs() -> (Option<i32>, String) {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.faults().add(Fault::graphql(Kind::Hang));
    // A collector that takes connections and never answers.
    let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut exporter = Setup::new()
        .watch("users = [\"zoe@example.com\"]")
        .polling(&simulator, "* * * * * *")
        .sending_to(&endpoint, Protocol::Http)
        .start()
        .await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    // A sender that stops in the middle of its delivery.
    let address = exporter.webhook_url.split('/').nth(2).unwrap().to_owned();
    let mut sender = tokio::net::TcpStream::connect(address).await.unwrap();
    let half = "POST /webhooks/cii HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
                x-api-client-token: a-secret-of-the-tests\r\n\r\n{";
    sender.write_all(half.as_bytes()).await.unwrap();
    until("a question in hand", || async {
        (simulator.requests().count("getEndUserState") > 0).then_some(())
    })
    .await;
    exporter.signal("TERM");
    (exporter.ended_in_time().await, exporter.log())
}

/// The limits of all parts together are a little below the last one, at which the process ends itself
/// (70): a machine that stalls meanwhile gets there, and not each time.
#[tokio::test]
async fn it_ends_in_time_although_everybody_it_talks_to_hangs() {
    let mut ended = end_while_everybody_hangs().await;
    for _ in 0..2 {
        if ended.0 == Some(70) {
            ended = end_while_everybody_hangs().await;
        }
    }
    assert_eq!(ended.0, Some(0), "{}", ended.1);
}

#[tokio::test]
async fn the_first_start_after_an_upgrade_says_which_defaults_changed() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    // The schedules are set here, so only the listing is news.
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").listing();
    make_older(&setup.database());
    let said = |log: &str| log.lines().filter(|line| line.contains("a default changed")).count();
    let exporter = setup.start().await;
    let log = exporter.log();
    assert!(said(&log) == 1 && log.contains("sync.tenant.enabled"), "{log}");
    assert!(log.contains("the database is brought up to date"), "{log}");
    // Once only, and never with a new database.
    let exporter = exporter.stop().await.start().await;
    assert_eq!(said(&exporter.log()), 0);
    let fresh = Setup::new().polling(&simulator, "0 0 0 1 1 *").listing().start().await;
    assert_eq!(said(&fresh.log()), 0);
}

#[tokio::test]
async fn the_service_manager_is_told_when_it_is_ready_lives_and_stops() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let socket = tokio::net::UnixDatagram::bind(&path).unwrap();
    let setup = Setup::new()
        .variable("NOTIFY_SOCKET", &path.display().to_string())
        .variable("WATCHDOG_USEC", "200000");
    // From the start on: who sends to a socket that is full waits until somebody reads it.
    let (heard, mut messages) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut message = [0; 1000];
        while let Ok(length) = socket.recv(&mut message).await {
            let _ = heard.send(String::from_utf8_lossy(&message[..length]).trim().to_owned());
        }
    });
    let exporter = setup.start().await;
    let mut told = std::collections::BTreeMap::<String, usize>::new();
    let mut hear = async || {
        let message = messages.recv().await.unwrap();
        *told.entry(message.clone()).or_default() += 1;
        message
    };
    // At once, while it starts, and again and again.
    while hear().await != "READY=1" {}
    for _ in 0..3 {
        assert_eq!(hear().await, "WATCHDOG=1");
    }
    exporter.signal("TERM");
    while hear().await != "STOPPING=1" {}
    assert_eq!(told["READY=1"], 1, "{told:?}");
}

/// Nothing of a configuration that cannot be stored holds, and the next reload is one.
#[tokio::test]
async fn a_reload_that_cannot_be_stored_is_refused_whole() {
    let mut exporter = Setup::new().webhook("check_ids = [\"no-mfa\"]").start().await;
    exporter.setup().set_watch("users = [\"zoe@example.com\"]");
    exporter.setup().set_webhook("check_ids = [\"dormant\"]");
    exporter.setup().write_config();
    let reload = format!("{}/-/reload", exporter.ops_url);
    let http = reqwest::Client::new();
    let lock = Lock::of(&exporter.database());
    let answer = http.post(&reload).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 422, "{}", exporter.log());
    drop(lock);
    until("commits", || async { (exporter.get("/-/ready").await.0 == 200).then_some(()) }).await;
    let deliver = async |id: &str, check: &str| {
        let body = Body::new(id, check, &["a@example.com"]).json().to_string();
        exporter.post(body).await.unwrap().1
    };
    assert!(deliver("1", "no-mfa").await.contains("accepted"), "{}", exporter.log());
    assert!(deliver("2", "dormant").await.contains("filtered"), "{}", exporter.log());
    let series = "cii_user_failing_checks{login=\"zoe@example.com\"}";
    assert_eq!(exporter.metrics().await.get(series), None);
    assert_eq!(http.post(&reload).send().await.unwrap().status().as_u16(), 200);
    assert!(deliver("3", "dormant").await.contains("accepted"), "{}", exporter.log());
    exporter.until_metric(series, 0.0).await;
}

/// A clock that is years ahead at a start, as one whose battery is empty may be, and is right
/// at the next.
#[tokio::test]
async fn rows_that_a_clock_years_ahead_finds_too_old_stay() {
    let exporter = Setup::new().watch("").start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let wish = json!({ "kind": "user", "subject": "zoe@example.com",
        "expires_at": cii_exporter::clock::now() + chrono::TimeDelta::days(30) });
    assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, 201);
    let setup = exporter.stop().await;
    // What the wrong clock dates in one start does not vouch for it at the next.
    let mut setup = setup.ahead(chrono::TimeDelta::days(3650));
    for id in 2..=3 {
        let exporter = setup.start().await;
        until("the warning", || async {
            exporter.log().contains("the clock is far ahead").then_some(())
        })
        .await;
        let body = Body::new(&id.to_string(), "no-mfa", &["a@example.com"]);
        assert_eq!(exporter.deliver(&body.json()).await, 200);
        // Past the first look, which is made at the start.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let count = async |path: &str, of: &str| {
            let (status, answer) = exporter.api("GET", path, None).await;
            assert_eq!(status, 200, "{answer}");
            answer[of].as_array().unwrap().len()
        };
        assert_eq!(count("/deliveries?limit=100", "deliveries").await, id);
        // What the first delivery opened, and who was put on the list.
        assert_eq!(count("/events?name=cii.check.failed&limit=100", "events").await, 1);
        let (_, listed) = exporter.api("GET", "/watch", None).await;
        assert!(listed.to_string().contains("zoe@example.com"), "{listed}");
        setup = exporter.stop().await;
    }
}

#[tokio::test]
async fn where_people_reach_the_page_is_a_label_and_changes_with_a_reload() {
    let url = |metrics: &Metrics| {
        let series = metrics.series("cii_build_info");
        assert_eq!(series.len(), 1, "{series:?}");
        series[0].0.split("url=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let mut exporter = Setup::new().start().await;
    assert_eq!(url(&exporter.metrics().await), "");
    for (set, shown) in [
        ("https://cii.example.com/", "https://cii.example.com"),
        ("https://example.com/cii/", "https://example.com/cii"),
    ] {
        let setup = std::mem::replace(exporter.setup(), Setup::new());
        *exporter.setup() = setup.ops(&format!("public_url = \"{set}\""));
        exporter.setup().write_config();
        exporter.signal("HUP");
        until("the new URL", || async { (url(&exporter.metrics().await) == shown).then_some(()) })
            .await;
    }
}
