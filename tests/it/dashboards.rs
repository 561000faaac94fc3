//! The dashboards: what each panel asks for is there, and Grafana understands it.

use std::{collections::BTreeSet, fs};

use cii_simulator::{Options, Simulator, tenant::IpAddress};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Body, Protocol, Setup, Stack, attribute_names, tool, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const NAMES: [&str; 4] = ["overview", "user", "ip", "exporter-health"];

fn file(name: &str) -> String {
    format!("{ROOT}/dashboards/{name}.json")
}

fn dashboard(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap()
}

/// The panels of a dashboard that show something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    let all = dashboard["panels"].as_array().unwrap();
    let panels: Vec<_> = all.iter().filter(|panel| panel["type"] != "row").collect();
    assert!(panels.len() > 4);
    panels
}

fn queries(panel: &Value) -> Vec<&str> {
    let targets = panel["targets"].as_array().unwrap();
    targets.iter().map(|target| target["expr"].as_str().unwrap()).collect()
}

#[test]
fn every_panel_explains_itself_and_every_link_leads_somewhere() {
    let uids: BTreeSet<_> =
        NAMES.map(|name| dashboard(name)["uid"].as_str().unwrap().to_owned()).into();
    assert_eq!(uids.len(), NAMES.len());
    for name in NAMES {
        let dashboard = dashboard(name);
        for panel in panels(&dashboard) {
            let title = &panel["title"];
            assert!(panel["description"].as_str().unwrap().len() > 20, "{name}: {title}");
            if panel["type"] == "logs" {
                continue;
            }
            let shown = &panel["fieldConfig"]["defaults"];
            assert!(shown["unit"].is_string(), "{name}: {title}");
            assert!(
                !shown["thresholds"]["steps"].as_array().unwrap().is_empty(),
                "{name}: {title}"
            );
        }
        let text = dashboard.to_string();
        for link in text.split("\"/d/").skip(1) {
            let uid = link.split(['"', '?']).next().unwrap();
            assert!(uids.contains(uid), "{name} leads to {uid}");
        }
    }
}

#[test]
fn what_is_asked_of_the_logs_is_what_events_carry() {
    let mut known: BTreeSet<String> =
        attribute_names().iter().map(|key| key.replace('.', "_")).collect();
    known.insert("service_name".to_owned());
    for name in NAMES {
        let dashboard = dashboard(name);
        for panel in panels(&dashboard).into_iter().filter(|panel| panel["type"] == "logs") {
            for query in queries(panel) {
                let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let labels = words.filter(|word| {
                    ["user_", "client_", "geo_", "cii_", "service_"]
                        .iter()
                        .any(|p| word.starts_with(p))
                });
                for label in labels {
                    assert!(known.contains(label), "{name}: {label} in {query}");
                }
            }
        }
    }
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

#[tokio::test]
async fn every_panel_finds_data_in_the_real_prometheus() {
    let simulator = Simulator::start(Options { users: 40, ..Options::default() }).await.unwrap();
    let (login, ip) = simulator.tenant(|tenant| {
        let ip = tenant.busiest_addresses()[0].0.clone();
        (tenant.logins()[0].clone(), ip)
    });
    let mut stack = Stack::start().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables(
            "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
             [sync.service]\nschedule = \"* * * * * *\"",
        )
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .sending_to(&stack.otlp_endpoint(), Protocol::Http)
        .start()
        .await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    stack.watch(exporter.ops_url.trim_start_matches("http://")).await;
    // Something of everything that panels count, seen once before and once after.
    let innocent: Vec<_> = simulator.tenant(|tenant| {
        let users = tenant.users().filter(|user| !user.failing_checks.contains("no-mfa"));
        users.map(|user| user.login.clone()).take(2).collect()
    });
    for (number, name) in innocent.iter().enumerate() {
        simulator.tenant(|tenant| {
            let address = IpAddress::new(&format!("198.51.100.{number}"));
            tenant.user_mut(&login).unwrap().ip_addresses.push(address);
        });
        let mut delivery = Body::new(&number.to_string(), "no-mfa", &[name]).json();
        delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
        assert_eq!(exporter.deliver(&delivery).await, 200);
        let seen = "cii_check_resolutions_total{check_id=\"no-mfa\"} > 0";
        until("a resolution in Prometheus", || async {
            stack.query(seen).await.filter(|found| *found > 0)
        })
        .await;
    }
    let variables = [
        ("$__rate_interval", "2m"),
        ("$__range", "10m"),
        ("$__interval", "2m"),
        ("$check", ".*"),
        ("$login", login.as_str()),
        ("$ip", ip.as_str()),
    ];
    for name in NAMES {
        let dashboard = dashboard(name);
        for panel in panels(&dashboard).into_iter().filter(|panel| panel["type"] != "logs") {
            for query in queries(panel) {
                let mut asked = query.to_owned();
                for (variable, value) in variables {
                    asked = asked.replace(variable, value);
                }
                until(&format!("data for {name}: {}: {asked}", panel["title"]), || async {
                    stack.query(&asked).await.filter(|found| *found > 0)
                })
                .await;
            }
        }
    }
    exporter.stop().await;
    stack.stop().await;
}
