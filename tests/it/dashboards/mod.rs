//! The dashboards: what each panel asks for is there, and Grafana understands it.

mod data;
mod looks;
mod queries;

use std::fs;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::tool;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub const NAMES: [&str; 5] = ["overview", "resolution", "user", "ip", "exporter-health"];

fn file(name: &str) -> String {
    format!("{ROOT}/dashboards/{name}.json")
}

pub fn dashboard(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap()
}

/// The panels of a dashboard that ask for something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let all = dashboard["panels"].as_array().unwrap();
    let panels: Vec<_> =
        all.iter().filter(|panel| panel["type"] != "row" && panel["type"] != "text").collect();
    assert!(panels.len() > 4);
    panels
}

/// Those of them that ask Prometheus.
pub fn of_prometheus(dashboard: &Value) -> impl Iterator<Item = &Value> {
    panels(dashboard).into_iter().filter(|panel| panel["type"] != "logs")
}

pub fn queries(panel: &Value) -> Vec<&str> {
    let targets = panel["targets"].as_array().unwrap();
    targets.iter().map(|target| target["expr"].as_str().unwrap()).collect()
}

/// What annotations ask Prometheus.
pub fn annotations(dashboard: &Value) -> Vec<&str> {
    let list = dashboard["annotations"]["list"].as_array().unwrap();
    list.iter().map(|annotation| annotation["expr"].as_str().unwrap()).collect()
}

#[test]
fn the_files_are_what_their_program_writes() {
    let output = std::process::Command::new(format!("{ROOT}/scripts/dashboards"))
        .arg("--check")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn grafana_s_published_schema_accepts_every_dashboard() {
    let output = Command::new("node")
        .arg(format!("{ROOT}/tests/dashboards/check.mjs"))
        .arg(tool("node"))
        .args(NAMES.map(file))
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
