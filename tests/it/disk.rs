//! A disk that fails: nothing is acknowledged that is not on it, and nothing is half done.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::harness::{Body, Disk, Exporter, Setup, until};

/// Users of a large delivery: with these the log becomes long enough to be copied into the
/// database.
const MANY: usize = 400;

fn body(id: &str) -> Value {
    Body::new(id, "load", &[&format!("{id}@example.com")]).json()
}

/// The ids of all deliveries, and how often each is recorded.
async fn recorded(exporter: &Exporter) -> BTreeMap<String, usize> {
    let (status, page) = exporter.api("GET", "/deliveries?limit=1000", None).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["next_cursor"], Value::Null, "more than a page");
    let mut found = BTreeMap::new();
    for one in page["deliveries"].as_array().unwrap() {
        // What was refused is listed without an id.
        if let Some(id) = one["id"].as_str() {
            *found.entry(id.to_owned()).or_default() += 1;
        }
    }
    found
}

fn once(ids: &[String]) -> BTreeMap<String, usize> {
    ids.iter().map(|id| (id.clone(), 1)).collect()
}

/// Every delivery that is recorded has its failure, and no failure is without one.
async fn assert_nothing_is_half_done(exporter: &Exporter, deliveries: usize) {
    let metrics = exporter.metrics().await;
    let expected = Some(f64::from(u32::try_from(deliveries).unwrap()));
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"load\"}"), expected);
    let failing = "cii_check_failing_users{check_id=\"load\",severity=\"high\"}";
    assert_eq!(metrics.get(failing), expected);
    let (_, page) = exporter.api("GET", "/events?name=cii.check.failed&limit=1000", None).await;
    assert_eq!(page["events"].as_array().map(Vec::len), Some(deliveries), "{page}");
}

async fn failures(exporter: &Exporter, reason: &str) -> f64 {
    let series = format!("cii_store_commit_failures_total{{reason=\"{reason}\"}}");
    exporter.metrics().await.get(&series).unwrap()
}

/// Delivers each, all of which are acknowledged.
async fn deliver(exporter: &Exporter, ids: &[&str], acknowledged: &mut Vec<String>) {
    for &id in ids {
        assert_eq!(exporter.deliver(&body(id)).await, 200, "{id}: {}", exporter.log());
        acknowledged.push(id.to_owned());
    }
}

/// Posts a delivery that must be refused with a moment to come again.
async fn assert_refused(exporter: &Exporter, id: &str, faults: &str) {
    let request = reqwest::Client::new()
        .post(&exporter.webhook_url)
        .header("x-api-client-token", crate::harness::SECRET)
        .json(&body(id));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503, "{faults}: {}", exporter.log());
    let again = answer.headers()["retry-after"].to_str().unwrap().parse::<u64>();
    assert!(again.is_ok_and(|seconds| (1..=60).contains(&seconds)), "{faults}");
}

async fn until_ready(exporter: &Exporter) {
    until("ready again", || async { (exporter.get("/-/ready").await.0 == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn while_the_disk_fails_nothing_is_acknowledged_and_afterwards_nothing_is_lost() {
    for (faults, reason) in [
        ("sync EIO", "io"),
        ("sync EIO -wal", "io"),
        ("sync ENOSPC", "io"),
        ("write EIO", "io"),
        ("write ENOSPC", "disk_full"),
        ("write SHORT", "disk_full"),
    ] {
        let setup = Setup::new();
        let disk = Disk::of(&setup.database());
        let exporter = setup.on(&disk).start().await;
        let mut acknowledged = Vec::new();
        deliver(&exporter, &["before-1", "before-2"], &mut acknowledged).await;
        let failed_before = failures(&exporter, reason).await;
        disk.fail(faults);
        for id in ["refused-1", "refused-2", "refused-3"] {
            assert_refused(&exporter, id, faults).await;
        }
        assert!(disk.hits() >= 3, "{faults}: {} calls failed", disk.hits());
        let (status, text) = exporter.get("/-/ready").await;
        assert_eq!(status, 503, "{faults}: {text}");
        assert!(failures(&exporter, reason).await > failed_before, "{faults}");
        // What can be read is what was acknowledged.
        assert_eq!(recorded(&exporter).await, once(&acknowledged), "{faults}");
        assert_nothing_is_half_done(&exporter, acknowledged.len()).await;

        disk.recover();
        until_ready(&exporter).await;
        deliver(&exporter, &["refused-1", "refused-3", "after-1", "after-2"], &mut acknowledged)
            .await;
        let exporter = exporter.kill().await.start().await;
        assert_eq!(recorded(&exporter).await, once(&acknowledged), "{faults}");
        assert_nothing_is_half_done(&exporter, acknowledged.len()).await;
    }
}

/// The next start may find what was refused, whole: its sender comes again, and it counts once.
#[tokio::test]
async fn a_kill_while_the_disk_fails_loses_nothing_that_was_acknowledged() {
    for faults in ["sync EIO", "write ENOSPC", "write SHORT"] {
        let setup = Setup::new();
        let disk = Disk::of(&setup.database());
        let exporter = setup.on(&disk).start().await;
        let mut acknowledged = Vec::new();
        deliver(&exporter, &["before-1", "before-2"], &mut acknowledged).await;
        disk.fail(faults);
        assert_refused(&exporter, "refused-1", faults).await;
        let setup = exporter.kill().await;
        disk.recover();
        let exporter = setup.start().await;
        let found = recorded(&exporter).await;
        assert!(acknowledged.iter().all(|id| found.contains_key(id)), "{faults}: {found:?}");
        assert_nothing_is_half_done(&exporter, found.len()).await;
        assert_eq!(exporter.deliver(&body("refused-1")).await, 200);
        acknowledged.push("refused-1".to_owned());
        assert_eq!(recorded(&exporter).await, once(&acknowledged), "{faults}");
        assert_nothing_is_half_done(&exporter, acknowledged.len()).await;
    }
}

/// Copying the log into the database can fail, too: what was acknowledged is in the log.
#[tokio::test]
async fn a_log_that_cannot_be_copied_into_the_database_costs_nothing() {
    for faults in ["sync EIO .db", "write EIO .db", "write ENOSPC .db", "truncate EIO"] {
        let setup = Setup::new();
        let disk = Disk::of(&setup.database());
        let exporter = setup.on(&disk).start().await;
        disk.fail(faults);
        let mut acknowledged = Vec::new();
        let users: Vec<_> = (0..MANY).map(|number| format!("user{number}@example.com")).collect();
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        for number in 0..20 {
            let (id, check) = (format!("d{number}"), format!("check{number}"));
            let large = Body::new(&id, &check, &users).json();
            match exporter.deliver(&large).await {
                200 => acknowledged.push((id, check)),
                status => assert_eq!(status, 503, "{faults}: {}", exporter.log()),
            }
        }
        assert!(!acknowledged.is_empty(), "{faults}: {}", exporter.log());
        assert!(disk.hits() > 0 || faults.starts_with("truncate"), "{faults}: no call failed");
        let setup = exporter.kill().await;
        disk.recover();
        let exporter = setup.start().await;
        let found = recorded(&exporter).await;
        let metrics = exporter.metrics().await;
        for (id, check) in &acknowledged {
            assert_eq!(found.get(id), Some(&1), "{faults}");
            let series = format!("cii_check_failures_total{{check_id=\"{check}\"}}");
            assert_eq!(metrics.get(&series), Some(400.0), "{faults}: {id}");
        }
    }
}

#[tokio::test]
async fn a_start_on_a_disk_that_fails_names_the_file_and_the_cause() {
    for (faults, expected) in [
        ("write ENOSPC", "the disk is full"),
        ("write EIO", "the disk fails"),
        ("sync EIO", "the disk fails"),
    ] {
        let setup = Setup::new();
        let disk = Disk::of(&setup.database());
        disk.fail(faults);
        setup.write_config();
        let mut command = Setup::command(&["run"], &setup.config_file());
        command.envs(disk.variables());
        let ended = tokio::time::timeout(Duration::from_mins(1), command.output());
        let ended = ended.await.expect("it ends").unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{faults}: {errors}");
        assert!(errors.contains(expected), "{faults}: {errors}");
        assert!(errors.contains(&*setup.database().to_string_lossy()), "{faults}: {errors}");
    }
}
