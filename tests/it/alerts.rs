//! The rules that operators load.

use std::{collections::BTreeSet, fs, path::Path};

use cii_simulator::{Options, Simulator};
use tokio::process::Command;

use crate::harness::{Protocol, Receiver, Setup, sample_payload, tool};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a tool in the repository's root; what it printed.
async fn runs(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool(&format!("debian/usr/bin/{program}")))
        .args(arguments)
        .current_dir(ROOT)
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {printed}{said}");
    printed
}

const TESTS: [&str; 3] = [
    "alerts/tests/cii-exporter.test.yml",
    "alerts/tests/edges.test.yml",
    "alerts/tests/gaps.test.yml",
];

#[tokio::test]
async fn every_rule_is_valid_and_fires_when_it_should_and_only_then() {
    runs("promtool", &["check", "rules", "alerts/cii-exporter.rules.yml"]).await;
    for file in TESTS {
        runs("promtool", &["test", "rules", file]).await;
    }
}

const ALERTMANAGER: &str = "alerts/alertmanager.example.yml";

#[tokio::test]
async fn every_alert_gets_to_who_answers_for_it() {
    runs("amtool", &["check-config", ALERTMANAGER]).await;
    for (receiver, labels) in [
        ("security-on-call", "alertname=CiiCheckNewlyFailing check_id=x severity=critical"),
        ("security-on-call", "alertname=CiiCheckNewlyFailing check_id=no-mfa severity=critical"),
        ("access-team", "alertname=CiiCheckNewlyFailing check_id=no-mfa severity=warning"),
        ("access-team", "alertname=CiiFailingUsersGrowing check_id=no-mfa severity=warning"),
        ("security", "alertname=CiiCheckNewlyFailing check_id=x severity=warning"),
        ("digest", "alertname=CiiUserNewIp login=a@example.com severity=info"),
        ("security", "alertname=CiiUserNewCountry login=a@example.com severity=warning"),
        ("security", "alertname=CiiIpNewUser ip=203.0.113.7 severity=warning"),
        ("security", "alertname=CiiUserStatusChanged login=a@example.com severity=warning"),
        ("digest", "alertname=CiiUnusedApplications login=a@example.com severity=info"),
        ("digest", "alertname=CiiStoreLarge severity=info"),
        ("operations-on-call", "alertname=CiiExporterDown severity=critical"),
        ("operations-on-call", "alertname=CiiTokenRefused severity=critical"),
        ("operations", "alertname=CiiSyncStale task=users severity=warning"),
        ("operations", "alertname=CiiOtlpBacklog severity=warning"),
        ("digest", "alertname=CiiSyncOff task=tenant severity=info"),
    ] {
        let mut arguments = vec!["config", "routes", "test", "--config.file", ALERTMANAGER];
        arguments.extend(labels.split(' '));
        assert_eq!(runs("amtool", &arguments).await.trim(), receiver, "{labels}");
    }
}

#[test]
fn every_rule_has_a_test_and_a_runbook() {
    let rules = fs::read_to_string(Path::new(ROOT).join("alerts/cii-exporter.rules.yml")).unwrap();
    let tests = TESTS.map(|file| fs::read_to_string(Path::new(ROOT).join(file)).unwrap()).concat();
    let names: Vec<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!names.is_empty());
    let overview = fs::read_to_string(Path::new(ROOT).join("docs/alerting.md")).unwrap();
    for name in names {
        assert!(overview.contains(&format!("`{name}`")), "{name} is not in docs/alerting.md");
        let cases: Vec<_> = tests.split(&format!("alertname: {name}\n")).skip(1).collect();
        let is_quiet = |case: &&str| case.trim_start().starts_with("exp_alerts: []");
        assert!(cases.iter().any(is_quiet), "{name} has no test where it is quiet");
        assert!(!cases.iter().all(is_quiet), "{name} has no test where it fires");
        let rule = rules.split(&format!("- alert: {name}\n")).nth(1).unwrap();
        let rule = rule.split("- alert: ").next().unwrap();
        assert!(rule.contains(&format!("runbook_url: {DOCUMENTATION}docs/runbooks/{name}.md\n")));
        assert!(rule.contains(&format!("dashboard_url: '{GRAFANA}d/cii-")), "{name}");
        assert!(rule.contains("          tenant: "), "{name} has no tenant");
        // What differs from alert to alert stands in the description.
        let summary = rule.split("summary: ").nth(1).unwrap().lines().next().unwrap();
        assert!(!summary.contains("{{"), "{name}: {summary}");
        assert!(Path::new(ROOT).join(format!("docs/runbooks/{name}.md")).exists(), "{name}");
    }
}

/// Where the documentation is, and Grafana: what stands there once in every alert, and at the
/// top of the file, is changed by one command.
const DOCUMENTATION: &str = "https://github.com/example/cii-exporter/blob/main/";
const GRAFANA: &str = "http://localhost:3000/";

/// The names that begin like ours in a query or a rule; what rules record has a colon.
fn metric_names(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter))
        .filter(|word| word.starts_with("cii_") || word.starts_with("process_"))
        .map(|word| word.trim_end_matches("_bucket").to_owned())
        .collect()
}

#[tokio::test]
async fn whatever_rules_ask_for_is_shown() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .with_web_config()
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
        .chain(cii_exporter::metrics::Family::ALL.map(|family| family.definition().name.to_owned()))
        .chain(
            ["last_success_timestamp_seconds", "targets", "up", "interval_seconds", "off"]
                .map(|name| format!("cii_sync_{name}")),
        )
        .collect();
    let asked = metric_names(
        &fs::read_to_string(Path::new(ROOT).join("alerts/cii-exporter.rules.yml")).unwrap(),
    );
    let unknown: Vec<_> = asked.difference(&shown).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
