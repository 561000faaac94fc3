//! The rules and dashboards that operators load.

use std::{collections::BTreeSet, fs, path::Path};

use cii_simulator::{Options, Simulator};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Protocol, Receiver, Setup, sample_payload, tool};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

async fn promtool(arguments: &[&str]) {
    let output = Command::new(tool("debian/usr/bin/promtool"))
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[tokio::test]
async fn every_rule_is_valid_and_fires_when_it_should_and_only_then() {
    promtool(&["check", "rules", "alerts/cii-exporter.rules.yml"]).await;
    promtool(&["test", "rules", "alerts/tests/cii-exporter.test.yml"]).await;
}

#[test]
fn every_rule_has_a_test_and_a_runbook() {
    let rules = fs::read_to_string(Path::new(ROOT).join("alerts/cii-exporter.rules.yml")).unwrap();
    let tests =
        fs::read_to_string(Path::new(ROOT).join("alerts/tests/cii-exporter.test.yml")).unwrap();
    let names: Vec<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(tests.contains(&format!("alertname: {name}\n")), "{name} has no test");
        assert!(rules.contains(&format!("runbook: docs/runbooks/{name}.md")), "{name}");
        assert!(Path::new(ROOT).join(format!("docs/runbooks/{name}.md")).exists(), "{name}");
    }
}

/// The names that begin like ours in a query or a rule.
fn metric_names(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("cii_") || word.starts_with("process_"))
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

#[tokio::test]
async fn whatever_rules_and_dashboards_ask_for_is_shown() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    exporter.post(sample_payload()).await.unwrap();
    let shown: BTreeSet<String> = exporter
        .metrics()
        .await
        .text
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .chain(cii_exporter::metrics::Family::ALL.map(|family| family.name().to_owned()))
        .chain(["cii_sync_last_success_timestamp_seconds", "cii_sync_targets"].map(str::to_owned))
        .collect();
    let mut asked = metric_names(
        &fs::read_to_string(Path::new(ROOT).join("alerts/cii-exporter.rules.yml")).unwrap(),
    );
    for file in ["overview", "exporter-health"] {
        let path = Path::new(ROOT).join(format!("dashboards/{file}.json"));
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        assert!(!panels.is_empty());
        for panel in panels {
            let title = &panel["title"];
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
            for target in panel["targets"].as_array().unwrap() {
                asked.extend(metric_names(target["expr"].as_str().unwrap()));
            }
        }
    }
    let unknown: Vec<_> = asked.difference(&shown).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
