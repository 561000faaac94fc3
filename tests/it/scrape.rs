//! /metrics as Prometheus sees it.

use std::process::Stdio;

use tokio::{io::AsyncWriteExt, process::Command};

use crate::harness::{Body, Setup, sample_payload, tool};

#[tokio::test]
async fn promtool_has_no_complaint() {
    let exporter = Setup::new()
        .watch("users = [\"alice@example.com\"]\nips = [\"203.0.113.7\"]")
        .start()
        .await;
    exporter.post(sample_payload()).await.unwrap();
    let odd = Body::new("odd", "quote\"back\\slash\nline", &["\"><script>@example.com"]);
    assert_eq!(exporter.deliver(&odd.json()).await, 200);
    let metrics = exporter.metrics().await;

    let mut promtool = Command::new(tool("debian/usr/bin/promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(metrics.text.as_bytes()).await.unwrap();
    drop(input);
    let output = promtool.wait_with_output().await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[tokio::test]
async fn the_exporters_own_metrics_are_there_from_the_start() {
    let exporter = Setup::new().start().await;
    let metrics = exporter.metrics().await;
    for result in [
        "accepted",
        "duplicate",
        "filtered",
        "test",
        "unauthorized",
        "malformed",
        "too_large",
        "unavailable",
    ] {
        let series = format!("cii_webhook_requests_total{{result=\"{result}\"}}");
        assert_eq!(metrics.get(&series), Some(0.0));
    }
    for name in ["cii_build_info", "process_resident_memory_bytes", "cii_store_size_bytes"] {
        assert_eq!(metrics.series(name).len(), 1, "{name}");
    }
    assert!(metrics.get("cii_store_commits_total").is_some());
}

#[tokio::test]
async fn the_ops_listener_answers_health_and_readiness() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.get("/-/healthy").await.0, 200);
    assert_eq!(exporter.get("/-/ready").await.0, 200);
    let (status, page) = exporter.get("/").await;
    assert!(status == 200 && page.contains("/metrics"), "{page}");
}
