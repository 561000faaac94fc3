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

/// Every selector of the metrics in a query, with its labels.
fn selectors(query: &str) -> Vec<&str> {
    let starts = ["cii_", "process_", "up{"];
    let words = query.match_indices(|letter: char| letter.is_ascii_lowercase());
    let begins = words.map(|(at, _)| at).filter(|at| {
        let before = query[..*at].chars().last();
        let is_inside = before.is_some_and(|c| c.is_ascii_alphanumeric() || "_$\"".contains(c));
        !is_inside && starts.iter().any(|start| query[*at..].starts_with(start))
    });
    begins.map(|at| query[at..].split_inclusive('}').next().unwrap()).collect()
}

#[test]
fn every_query_is_about_the_chosen_exporters_and_fits_a_scrape_a_minute() {
    for name in NAMES {
        let dashboard = dashboard(name);
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        for variable in ["datasource", "tenant", "instance"] {
            assert!(variables.iter().any(|found| found["name"] == variable), "{name}: {variable}");
        }
        for panel in panels(&dashboard).into_iter().filter(|panel| panel["type"] != "logs") {
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                for selector in selectors(query) {
                    let is_chosen = selector.contains("{instance=~\"$instance\"")
                        || selector == "cii_tenant_info{tenant=~\"$tenant\"}";
                    assert!(is_chosen, "{name}: {selector} in {query}");
                }
                // What does not answer tells no tenant.
                let is_by_tenant =
                    query.contains("and on (job, instance) cii_tenant_info{tenant=~\"$tenant\"}");
                assert!(is_by_tenant || query.contains("(up{"), "{name}: {query}");
                let least = match query {
                    _ if query.contains("[$__interval]") => Some("5m"),
                    _ if query.contains("[$__rate_interval]") => Some("1m"),
                    _ => None,
                };
                assert_eq!(target["interval"].as_str(), least, "{name}: {query}");
            }
        }
    }
}

#[tokio::test]
async fn every_panel_finds_data_in_a_prometheus_with_exporters_of_two_tenants() {
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
        .tables("[tenant]\nname = \"acme\"")
        .sending_to(&stack.otlp_endpoint(), Protocol::Http)
        .start()
        .await;
    // Another exporter, of another tenant, in which the same happens.
    let other = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables(
            "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
             [sync.service]\nschedule = \"* * * * * *\"\n[tenant]\nname = \"globex\"",
        )
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .start()
        .await;
    for exporter in [&exporter, &other] {
        exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    }
    let addresses = [&exporter, &other].map(|one| one.ops_url.trim_start_matches("http://"));
    stack.watch_all(&addresses).await;
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
        for exporter in [&exporter, &other] {
            assert_eq!(exporter.deliver(&delivery).await, 200);
        }
        let seen = "cii_check_resolutions_total{check_id=\"no-mfa\"} > 0";
        until("a resolution in Prometheus", || async {
            stack.query(seen).await.filter(|found| *found > 1)
        })
        .await;
    }
    let variables = [
        ("$__rate_interval", "2m"),
        ("$__range", "10m"),
        ("$__interval", "2m"),
        ("$check", ".*"),
        ("$instance", ".*"),
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
                // By one tenant, then by all of them.
                for tenants in ["acme", ".*"] {
                    let asked = asked.replace("$tenant", tenants);
                    until(&format!("data for {name}: {}: {asked}", panel["title"]), || async {
                        stack.query(&asked).await.filter(|found| *found > 0)
                    })
                    .await;
                }
                let asked = asked.replace("$tenant", "nobody");
                let is_filtered = query.contains("(up{") || query.contains("or vector(0)");
                assert!(is_filtered || stack.query(&asked).await == Some(0), "{asked}");
            }
        }
    }
    exporter.stop().await;
    other.stop().await;
    stack.stop().await;
}
