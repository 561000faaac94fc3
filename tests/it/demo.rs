//! The README's first command.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

#[tokio::test]
async fn the_demo_shows_deliveries_polls_metrics_and_events_and_leaves_nothing_behind() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_cii-exporter"))
        .args(["demo", "--webhook-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut awaited =
        vec!["database", "/metrics", "cii.check.delivery", "cii.check.failed", "failures of"];
    let mut folder = None;
    let patience = std::time::Duration::from_mins(2);
    tokio::time::timeout(patience, async {
        while !awaited.is_empty() {
            let line = lines.next_line().await.unwrap().expect("the demo goes on");
            awaited.retain(|text| !line.contains(text));
            if line.contains("database") {
                folder = line.split_whitespace().nth(1).map(str::to_owned);
            }
        }
    })
    .await
    .unwrap_or_else(|_| panic!("never shown: {awaited:?}"));

    let id = demo.id().unwrap().to_string();
    assert!(
        std::process::Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success()
    );
    let drain = async { while let Ok(Some(_)) = lines.next_line().await {} };
    let (ended, ()) = tokio::join!(demo.wait(), drain);
    assert!(ended.unwrap().success());
    let folder = folder.expect("the database's folder is told");
    assert!(!std::path::Path::new(&folder).exists(), "{folder} is left behind");
}

#[tokio::test]
async fn a_demo_that_nobody_reads_any_further_ends_and_leaves_nothing_behind() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_cii-exporter"))
        .args(["demo", "--webhook-listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // As `| head -1` does.
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap().unwrap();
    drop(lines);
    let patience = std::time::Duration::from_mins(2);
    let ended = tokio::time::timeout(patience, demo.wait_with_output()).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && errors.is_empty(), "{}: {errors}", ended.status);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
