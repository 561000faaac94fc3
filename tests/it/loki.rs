//! What is asked of Loki: the rules for it, and the dashboards' panels of events.
//!
//! Loki itself is not here: the queries are held against the grammar of its language, and against what
//! events carry.

use std::{collections::BTreeSet, fs};

use cii_exporter::domain::EventName;
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{attribute_names, tool};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const DASHBOARDS: [&str; 5] = ["overview", "resolution", "user", "ip", "exporter-health"];

/// The expressions of the rules, which are blocks of YAML.
fn rules() -> Vec<String> {
    let text = fs::read_to_string(format!("{ROOT}/deploy/loki-rules.yaml")).unwrap();
    let blocks = text.split("expr: |\n").skip(1);
    let expressions: Vec<_> = blocks
        .map(|block| {
            let indent = block.len() - block.trim_start().len();
            let lines = block.lines().take_while(|line| line.starts_with(&" ".repeat(indent)));
            lines.map(str::trim).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(expressions.len(), text.matches("- alert:").count());
    expressions
}

/// What the dashboards ask, with something in the place of variables.
fn panels() -> Vec<String> {
    let dashboards = DASHBOARDS.map(|name| {
        let text = fs::read_to_string(format!("{ROOT}/dashboards/{name}.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    });
    let panels = dashboards.iter().flat_map(|dashboard| dashboard["panels"].as_array().unwrap());
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let of_loki = targets.filter(|target| target["datasource"]["type"] == "loki");
    let queries = of_loki.map(|target| target["expr"].as_str().unwrap().to_owned());
    queries.map(|query| query.replace('$', "a")).collect()
}

#[tokio::test]
async fn every_query_of_rules_and_dashboards_is_logql() {
    let (rules, panels) = (rules(), panels());
    assert!(rules.len() > 1 && panels.len() > 4, "{rules:?} {panels:?}");
    let output = Command::new("node")
        .arg(format!("{ROOT}/tests/dashboards/logql.mjs"))
        .arg(tool("node"))
        .args(rules.iter().chain(&panels))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Two tenants in one Loki are two alerts, and messages about them have what others have.
#[test]
fn every_rule_tells_the_tenant_and_what_to_do() {
    let text = fs::read_to_string(format!("{ROOT}/deploy/loki-rules.yaml")).unwrap();
    let rules: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    for rule in groups.iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        let name = rule["alert"].as_str().unwrap();
        let expression = rule["expr"].as_str().unwrap();
        assert!(expression.contains("sum by (cii_tenant_name, cii_tenant_id"), "{name}");
        let tenant = rule["labels"]["tenant"].as_str().unwrap();
        assert!(tenant.contains("cii_tenant_name") && tenant.contains("cii_tenant_id"), "{name}");
        let annotation = |key: &str| rule["annotations"][key].as_str().unwrap();
        // What differs from alert to alert stands in the description.
        assert!(!annotation("summary").contains("{{"), "{name}");
        assert!(annotation("dashboard_url").contains("/d/cii-"), "{name}");
        let runbook = format!("docs/runbooks/{name}.md");
        assert!(annotation("runbook_url").ends_with(&runbook), "{name}");
        assert!(fs::exists(format!("{ROOT}/{runbook}")).unwrap(), "{runbook}");
    }
}

#[test]
fn rules_ask_for_events_and_attributes_that_there_are() {
    let mut known: BTreeSet<String> =
        attribute_names().iter().map(|key| key.replace('.', "_")).collect();
    // Loki makes it of the resource.
    known.insert("service_name".to_owned());
    for rule in rules() {
        let events: Vec<_> = rule.split("event_name=\"").skip(1).collect();
        assert_eq!(events.len(), 1, "{rule}");
        let name = events[0].split('"').next().unwrap();
        assert!(EventName::parse(name).is_some_and(EventName::is_public), "{name} in {rule}");
        // What is compared, and what is summed by, are labels.
        let texts: Vec<_> = rule.split('"').step_by(2).collect();
        let words = texts.iter().flat_map(|text| {
            text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        });
        let labels = words.filter(|word| word.contains('_') && *word != "count_over_time");
        for label in labels {
            assert!(known.contains(label), "{label} in {rule}");
        }
    }
}
