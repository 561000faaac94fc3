//! What goes to a server and comes back, and goes on there where it was.

use std::{fs, os::unix::fs::PermissionsExt as _};

use cii_simulator::Simulator;
use cii_test_cluster::Cluster;
use rusqlite::Connection;
use serde_json::Value;

use super::{assert_refused, copy, dump, everything::fill, on_file, text};
use crate::{
    harness::{Body, Exporter, Protocol, Receiver, attribute, until},
    pages::until_listed,
};

/// A schedule that a test never meets.
const YEARLY: &str = "0 0 0 1 1 *";

/// The jobs that ask the service, each once at the first start.
const JOBS: [&str; 4] = ["users", "ips", "tenant", "service"];

/// What the API answers, but for what depends on the moment.
async fn answers(exporter: &Exporter) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in [
        "/checks",
        "/checks/no-mfa/users?limit=100",
        "/users/ada@example.com",
        "/watch",
        "/deliveries",
        "/events?limit=100",
        "/otlp",
    ] {
        let (status, mut answer) = exporter.api("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        forget_moments(&mut answer);
        answers.push(answer);
    }
    answers
}

fn forget_moments(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // Since when the collector is away is told by each process for itself.
            fields.retain(|name, _| !name.ends_with("_seconds") && name != "outage");
            fields.values_mut().for_each(forget_moments);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_moments),
        _ => {}
    }
}

/// The ids of events at the collector; each came once.
fn uids(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    let mut uids: Vec<_> = received
        .iter()
        .map(|line| attribute(line, "log.record.uid").unwrap().to_string())
        .collect();
    uids.sort();
    let count = uids.len();
    uids.dedup();
    assert_eq!(uids.len(), count, "an event came twice");
    uids
}

/// Waits until everything that is in the log was sent.
async fn until_sent(exporter: &Exporter) {
    until("an empty backlog", || async {
        let metrics = exporter.metrics().await;
        (metrics.get("cii_otlp_pending_events") == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_on_the_server_and_back_in_a_file_where_it_was() {
    let database = Cluster::shared().create_database();
    let options = cii_simulator::Options { users: 30, ..cii_simulator::Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let mut receiver = Receiver::start().await;
    let exporter = on_file()
        .polling(&simulator, YEARLY)
        .tables(&format!(
            "[sync.tenant]\nschedule = \"{YEARLY}\"\n[sync.service]\nschedule = \"{YEARLY}\""
        ))
        .watch("users = [\"ada@example.com\"]\nips = [\"203.0.113.7\"]")
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    let deliver = async |exporter: &Exporter, id: &str| {
        let user = format!("{id}@example.com");
        let body = Body::new(id, "no-mfa", &["ada@example.com", &user]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
    };
    for job in JOBS {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{job}\"}}"), 1.0).await;
    }
    for id in ["one", "two", "three"] {
        deliver(&exporter, id).await;
    }
    assert_eq!(exporter.post("no JSON").await.unwrap().0, 400);
    until_listed(&exporter, 4).await;
    until_sent(&exporter).await;
    // What comes now waits for the collector, over the move.
    receiver.stop().await;
    deliver(&exporter, "waits").await;
    let (metrics, answered) = (exporter.metrics().await, answers(&exporter).await);
    let refused = copy(&on_file(), &text(&exporter.database()), &database.url).await;
    assert_refused(&refused, "stop it");

    let setup = exporter.stop().await;
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(moved.output.contains("the digests are equal"), "{moved:?}");
    assert!(moved.errors.contains("copying event: "), "a line a table: {moved:?}");
    let mut setup = setup.at(&database.url);
    for job in JOBS {
        let table = format!("[sync.{job}]\n");
        setup.replace(&table, &format!("{table}on_start = false\n"));
    }
    let exporter = setup.start().await;
    exporter.until_metric("cii_leader", 1.0).await;
    assert_eq!(exporter.metrics().await.of_tenant(), metrics.of_tenant());
    assert_eq!(answers(&exporter).await, answered);
    receiver.restart().await;
    until_sent(&exporter).await;
    // The same delivery is a repeat, also on the server.
    deliver(&exporter, "one").await;
    deliver(&exporter, "four").await;
    until_sent(&exporter).await;
    let sent = uids(&receiver);
    let (metrics, answered) = (exporter.metrics().await, answers(&exporter).await);
    let refused = copy(&on_file(), &database.url, "/nowhere/store.db").await;
    assert_refused(&refused, "in use by the replica");

    let setup = exporter.stop().await;
    let file = setup.database();
    fs::rename(&file, file.with_extension("former")).unwrap();
    let moved = copy(&setup, "config", &text(&file)).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let exporter = setup.in_file().start().await;
    assert_eq!(exporter.metrics().await.of_tenant(), metrics.of_tenant());
    assert_eq!(answers(&exporter).await, answered);
    deliver(&exporter, "five").await;
    until_sent(&exporter).await;
    let all = uids(&receiver);
    assert!(all.len() > sent.len() && sent.iter().all(|uid| all.contains(uid)));
    let (_, events) = exporter.api("GET", "/events?limit=1", None).await;
    assert!(events["events"][0]["seq"].is_number(), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_row_by_row_what_went() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let setup = on_file().start().await.stop().await;
    let file = setup.database();
    fill(&Connection::open(&file).unwrap());
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(!moved.output.contains("NUL"), "{moved:?}");
    let back = file.with_extension("back");
    let moved = setup
        .run(&["store", "copy", "--from", &database.url, "--to", &text(&back), "--quiet"])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert_eq!(moved.errors, "", "quiet");
    let (went, came) = (dump(&file), dump(&back));
    assert!(went.values().all(|rows| !rows.is_empty()), "every table has rows");
    for (table, rows) in &went {
        assert_eq!(rows, &came[table], "{table}");
    }
    let checked = Connection::open(&back).unwrap();
    let whole: String = checked.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    // Numbers that the server gives by itself go on behind those that came.
    let next = cluster.sql(
        &database.name,
        "INSERT INTO failure_closed (check_number, login, opened_at, closed_at, is_announced)
         VALUES (1, 'a', 1, 1, 0)
         RETURNING number > (SELECT max(number) FROM failure_closed)",
    );
    assert_eq!(next.trim(), "t");
    // From a server to another schema of it.
    let moved = setup
        .run(&[
            "store",
            "copy",
            "--from",
            &text(&back),
            "--to",
            &database.url,
            "--to-schema",
            "other",
        ])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    let moved = setup
        .run(&[
            "store",
            "copy",
            "--from",
            &database.url,
            "--from-schema",
            "other",
            "--to",
            &database.url,
            "--to-schema",
            "third",
        ])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    let count = |schema: &str| {
        cluster.sql(
            &database.name,
            &format!(
                "SELECT count(*), md5(string_agg(body, '' ORDER BY seq)) FROM {schema}.delivery"
            ),
        )
    };
    assert_eq!(count("third"), count("other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_a_server_cannot_hold_is_copied_as_a_daemon_would_have_written_it() {
    let database = Cluster::shared().create_database();
    let setup = on_file().start().await.stop().await;
    let file = Connection::open(setup.database()).unwrap();
    fill(&file);
    file.execute("UPDATE event SET body = 'a' || char(0) || 'b' WHERE seq = 1", []).unwrap();
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(moved.output.contains("1 rows have a text with the character NUL"), "{moved:?}");
    let body = Cluster::shared().sql(&database.name, "SELECT body FROM event WHERE seq = 1");
    assert_eq!(body.trim(), "a\u{fffd}b");

    // In a key it would make another row of it, or the same as another one.
    let database = Cluster::shared().create_database();
    file.execute("UPDATE admin SET login = login || char(0)", []).unwrap();
    let refused = copy(&setup, "config", &database.url).await;
    assert_refused(&refused, "a row of the table admin cannot be copied: a key has");
    file.execute("DELETE FROM admin", []).unwrap();
    file.execute("UPDATE event SET body = CAST(x'61ff' AS TEXT) WHERE seq = 1", []).unwrap();
    let refused = copy(&setup, "config", &database.url).await;
    assert_refused(&refused, "event cannot be copied: a text is not UTF-8, in the column body");
}
