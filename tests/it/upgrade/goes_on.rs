//! How what was there before the upgrade goes on.

use std::{collections::BTreeSet, fs, path::PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{NO_MFA, old::Old, simulator, start};
use crate::harness::{Body, Exporter, until};

#[tokio::test]
async fn deliveries_keep_their_numbers_and_new_ones_go_on_above_them() {
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let database = Connection::open(old_copy(old, &exporter)).unwrap();
        let mut rows = database.prepare("SELECT seq, id, outcome FROM delivery").unwrap();
        let before: BTreeSet<(i64, Option<String>, String)> = rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let list = async || {
            let (status, page) = exporter.api("GET", "/deliveries?limit=1000", None).await;
            assert_eq!(status, 200, "{page}");
            page["deliveries"].as_array().unwrap().clone()
        };
        let row = |one: &Value| {
            let id = one["id"].as_str().map(str::to_owned);
            (one["number"].as_i64().unwrap(), id, one["result"].as_str().unwrap().to_owned())
        };
        assert_eq!(list().await.iter().map(row).collect::<BTreeSet<_>>(), before, "{old:?}");
        let highest = before.iter().map(|(number, ..)| *number).max().unwrap();

        let failing = exporter.metrics().await.get(NO_MFA);
        let repeated = Body::new("first", "no-mfa", &["ines.eriksen@example.org"]).json();
        assert_eq!(exporter.deliver(&repeated).await, 200);
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get("cii_webhook_requests_total{result=\"duplicate\"}"), Some(1.0));
        assert_eq!(metrics.get(NO_MFA), failing);
        let new = Body::new("new", "no-mfa", &["new@example.com", "outside@example.com"]).json();
        assert_eq!(exporter.deliver(&new).await, 200);
        assert_eq!(exporter.metrics().await.get(NO_MFA), failing.map(|count| count + 1.0));
        let newest = list().await.into_iter().next().unwrap();
        assert_eq!((&newest["id"], &newest["number"]), (&json!("new"), &json!(highest + 1)));

        let last: i64 = database
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'event'", [], |row| row.get(0))
            .unwrap();
        let (_, page) = exporter.api("GET", "/events?limit=1000", None).await;
        let delivered = page["events"].as_array().unwrap().iter().find(|event| {
            event["name"] == "cii.check.failed" && event["login"] == "new@example.com"
        });
        assert!(delivered.unwrap()["seq"].as_i64().unwrap() > last, "{old:?}: {delivered:?}");
    }
}

/// The old database beside the one that the daemon upgraded.
fn old_copy(old: Old, exporter: &Exporter) -> PathBuf {
    let path = exporter.database().with_file_name("old.db");
    fs::write(&path, old.unpack("store.db.gz")).unwrap();
    path
}

#[tokio::test]
async fn an_answer_ends_a_failure_that_was_open_before_the_upgrade() {
    for old in Old::ALL {
        let simulator = simulator().await;
        simulator.tenant(|tenant| {
            for check in ["dormant-account", "mfa-flood", "rare-browser", "user-impersonation"] {
                tenant.set_failing("sven.hansen@example.com", check, false);
            }
        });
        let before = old.metrics();
        let resolved = |event: &Value| {
            event["name"] == "cii.check.resolved" && event["check_id"] == "dormant-account"
        };
        let open = "cii_check_failing_users{check_id=\"dormant-account\",severity=\"medium\"}";
        let exporter = old.setup(&simulator, true).start().await;
        // Others whose last answer is a day old are asked, too: the older the database, the more.
        until(open, || async {
            let now = exporter.metrics().await.get(open)?;
            (now < before.get(open).unwrap()).then_some(())
        })
        .await;
        until("the event", || async {
            let path = "/events?login=sven.hansen@example.com&limit=1000";
            let (_, page) = exporter.api("GET", path, None).await;
            page["events"].as_array()?.iter().any(resolved).then_some(())
        })
        .await;
    }
}
