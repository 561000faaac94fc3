//! The rules that operators load.

use std::{collections::BTreeSet, fs, path::Path};

use cii_simulator::{Options, Simulator};
use serde_json::json;
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

const TESTS: [&str; 6] = [
    "alerts/tests/cii-exporter.test.yml",
    "alerts/tests/edges.test.yml",
    "alerts/tests/first-scrape.test.yml",
    "alerts/tests/gaps.test.yml",
    "alerts/tests/open.test.yml",
    "alerts/tests/replicas.test.yml",
];

#[tokio::test]
async fn every_rule_is_valid_and_fires_when_it_should_and_only_then() {
    runs("promtool", &["check", "rules", "alerts/cii-exporter.rules.yml"]).await;
    // The tool takes one file after the other.
    let mut files: tokio::task::JoinSet<_> = TESTS
        .map(|file| async move { runs("promtool", &["test", "rules", file]).await })
        .into_iter()
        .collect();
    while let Some(tested) = files.join_next().await {
        tested.unwrap();
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
        ("security-open", "alertname=CiiCheckOverdue check_id=no-mfa severity=warning"),
        ("security-open", "alertname=CiiMfaCoverageFell severity=warning"),
        ("security-open", "alertname=CiiIntegrationBroken severity=warning"),
        ("security", "alertname=CiiAdminsGrew severity=warning"),
        ("security-on-call", "alertname=CiiAdminAdded severity=critical"),
        ("security", "alertname=CiiFactorAdded user_name=a@example.com severity=warning"),
        ("security", "alertname=CiiUserNewCountry login=a@example.com severity=warning"),
        ("security", "alertname=CiiIpNewUser ip=203.0.113.7 severity=warning"),
        ("security", "alertname=CiiUserStatusChanged login=a@example.com severity=warning"),
        ("digest", "alertname=CiiUnusedApplications login=a@example.com severity=info"),
        ("digest", "alertname=CiiStoreLarge severity=info"),
        ("operations-on-call", "alertname=CiiExporterDown severity=critical"),
        ("operations", "alertname=CiiExporterDown tenant=acme severity=warning"),
        ("operations-on-call", "alertname=CiiNoLeader tenant=acme severity=critical"),
        ("operations", "alertname=CiiTwoLeaders tenant=acme severity=warning"),
        ("operations-on-call", "alertname=CiiTokenRefused severity=critical"),
        ("operations", "alertname=CiiSyncStale task=users severity=warning"),
        ("operations", "alertname=CiiOtlpBacklog severity=warning"),
        ("operations", "alertname=CiiConfigNotReloaded severity=warning"),
        ("digest", "alertname=CiiSyncOff task=tenant severity=info"),
    ] {
        let mut arguments = vec!["config", "routes", "test", "--config.file", ALERTMANAGER];
        arguments.extend(labels.split(' '));
        assert_eq!(runs("amtool", &arguments).await.trim(), receiver, "{labels}");
    }
}

/// What only happened has no end to tell, and what is told without its end must be told while it
/// stands.
#[test]
fn a_happening_is_told_once_and_never_missed() {
    let text = fs::read_to_string(Path::new(ROOT).join(ALERTMANAGER)).unwrap();
    let (routes, receivers) = text.split_once("\nreceivers:\n").unwrap();
    let of_happenings: Vec<_> = receivers
        .split("- name: ")
        .filter(|receiver| receiver.contains("send_resolved: false"))
        .map(|receiver| receiver.lines().next().unwrap())
        .collect();
    assert_eq!(of_happenings, ["security", "security-on-call", "access-team", "digest"]);
    let waits: Vec<_> = routes
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("group_wait: ").or_else(|| line.strip_prefix("group_interval: "))
        })
        .collect();
    assert!(waits.len() > 4, "{waits:?}");
    for wait in waits {
        let time = humantime::parse_duration(wait).unwrap();
        assert!(time <= std::time::Duration::from_mins(7), "{wait}");
    }
    // Those of Loki stand for as long as the others.
    let loki = fs::read_to_string(Path::new(ROOT).join("deploy/loki-rules.yaml")).unwrap();
    assert_eq!(loki.matches("[10m]").count(), loki.matches("- alert: ").count());
}

#[tokio::test]
async fn a_message_about_many_alerts_has_a_section_a_kind_and_three_names() {
    let alert = |name: &str, summary: &str, description: &str, page: &str| {
        json!({
            "status": "firing",
            "labels": { "alertname": name, "severity": "warning" },
            "annotations": {
                "summary": summary,
                "description": description,
                "page": page,
                "dashboard_url": "http://grafana/d/x",
                "runbook_url": format!("http://docs/{name}"),
            },
        })
    };
    let failing = "3 newly failing: <!channel> & <b>No MFA</b>.";
    let check = |page| alert("CiiCheckNewlyFailing", "Users newly fail a check", failing, page);
    // Those of a second exporter come behind all of the first.
    let mut alerts = vec![check("http://a/checks/no-mfa")];
    alerts.extend((0..77).map(|number| {
        let page = format!("http://a/users/u{number}");
        alert("CiiUserNewIp", "A new address", &format!("u{number} is seen."), &page)
    }));
    alerts.push(check("http://b/checks/no-mfa"));
    let message = json!({
        "receiver": "security",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": { "tenant": "acme" },
        "commonLabels": { "tenant": "acme" },
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
    });
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("message.json");
    fs::write(&file, message.to_string()).unwrap();
    let render = async |name: &str, kind: &str| {
        let text = format!("{{{{ template \"{name}\" . }}}}");
        let files = ["--template.glob", "alerts/cii-exporter.tmpl", "--template.data"];
        let mut arguments = vec!["template", "render"];
        arguments.extend(files);
        arguments.extend([
            file.to_str().unwrap(),
            "--template.type",
            kind,
            "--template.text",
            &text,
        ]);
        runs("amtool", &arguments).await
    };
    assert_eq!(
        render("cii.title", "text").await.trim(),
        "[acme] 2 × Users newly fail a check, 77 × A new address"
    );
    assert_eq!(render("cii.link", "text").await.trim(), "http://grafana/d/x");
    let chat = render("cii.text", "text").await;
    assert_eq!(
        chat.trim(),
        "2 × Users newly fail a check (warning)\n\
         - 3 newly failing: ‹!channel> & ‹b>No MFA‹/b>. http://a/checks/no-mfa\n\
         - 3 newly failing: ‹!channel> & ‹b>No MFA‹/b>. http://b/checks/no-mfa\n\
         What to do: http://docs/CiiCheckNewlyFailing\n\
         Dashboard: http://grafana/d/x\n\
         \n\
         77 × A new address (warning)\n\
         - u0 is seen. http://a/users/u0\n\
         - u1 is seen. http://a/users/u1\n\
         - u2 is seen. http://a/users/u2\n\
         - and 74 more\n\
         What to do: http://docs/CiiUserNewIp\n\
         Dashboard: http://grafana/d/x"
    );
    let mail = render("cii.html", "html").await;
    assert!(mail.contains("<h3>77 × A new address (warning)</h3>"), "{mail}");
    assert!(mail.contains("&lt;b&gt;No MFA&lt;/b&gt;"), "{mail}");
    assert!(mail.contains("<li>and 74 more</li>") && !mail.contains("u3 is seen"), "{mail}");
}

#[tokio::test]
async fn the_documented_receivers_of_chat_and_mail_are_valid() {
    let text = fs::read_to_string(Path::new(ROOT).join(ALERTMANAGER)).unwrap();
    let docs = fs::read_to_string(Path::new(ROOT).join("docs/alerting.md")).unwrap();
    let receivers = docs.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let webhook =
        "    webhook_configs: [{ url: 'http://127.0.0.1:5001/security', send_resolved: false }]\n";
    assert!(text.contains(webhook));
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("alertmanager.yml");
    fs::write(&file, text.replace(webhook, receivers)).unwrap();
    fs::copy(
        Path::new(ROOT).join("alerts/cii-exporter.tmpl"),
        folder.path().join("cii-exporter.tmpl"),
    )
    .unwrap();
    let checked = runs("amtool", &["check-config", file.to_str().unwrap()]).await;
    assert!(checked.contains("1 templates"), "{checked}");
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
        .chain(["cii_store_synchronous_standby".to_owned()])
        .collect();
    let asked = metric_names(
        &fs::read_to_string(Path::new(ROOT).join("alerts/cii-exporter.rules.yml")).unwrap(),
    );
    let unknown: Vec<_> = asked.difference(&shown).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
