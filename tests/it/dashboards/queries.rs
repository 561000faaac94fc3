//! What the dashboards ask, held against what there is to ask for.

use std::{collections::BTreeSet, fs};

use super::{NAMES, ROOT, annotations, dashboard, of_prometheus, panels, queries};
use crate::harness::{attribute_names, tool};

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

/// The metric of every selector in a query, with its labels.
fn selectors(query: &str) -> Vec<&str> {
    let starts = ["cii_", "process_", "up{", "scrape_samples", "ALERTS"];
    let words = query.match_indices(|letter: char| letter.is_ascii_alphabetic());
    let begins = words.map(|(at, _)| at).filter(|at| {
        let before = query[..*at].chars().last();
        let is_inside = before.is_some_and(|c| c.is_ascii_alphanumeric() || "_$\"".contains(c));
        !is_inside && starts.iter().any(|start| query[*at..].starts_with(start))
    });
    begins.map(|at| query[at..].split_inclusive('}').next().unwrap()).collect()
}

const TENANT: &str = "* on (job, instance) group_left (tenant) \
     cii_tenant_info{instance=~\"$instance\",job=~\"$job\",tenant=~\"$tenant\"}";

#[test]
fn every_query_is_about_the_chosen_exporters_and_tenants() {
    for name in NAMES {
        let dashboard = dashboard(name);
        let of_panels = of_prometheus(&dashboard).flat_map(queries);
        for query in of_panels.chain(annotations(&dashboard)) {
            let found = selectors(query);
            assert!(!found.is_empty(), "{name}: {query}");
            for selector in &found {
                let is_chosen = selector.contains("{instance=~\"$instance\",job=~\"$job\"");
                assert!(is_chosen, "{name}: {selector} in {query}");
            }
            // What does not answer tells no tenant; an alert has it as a label.
            let is_by_tenant = query.contains(TENANT)
                || found.iter().all(|one| one.contains("tenant=~\"$tenant\""))
                || found.iter().all(|one| one.starts_with("up{"));
            assert!(is_by_tenant, "{name}: {query}");
        }
    }
}

#[test]
fn every_query_fits_a_scrape_a_minute() {
    for name in NAMES {
        let dashboard = dashboard(name);
        for panel in of_prometheus(&dashboard) {
            for target in panel["targets"].as_array().unwrap() {
                let query = target["expr"].as_str().unwrap();
                assert!(!query.contains("$__interval"), "{name}: {query}");
                if query.contains("[$__rate_interval]") {
                    assert_eq!(target["interval"], "1m", "{name}: {query}");
                }
            }
        }
    }
}

#[test]
fn every_metric_that_is_asked_for_is_one_that_the_exporter_has() {
    let reference = fs::read_to_string(format!("{ROOT}/docs/metrics.md")).unwrap();
    // Those of Prometheus itself.
    let prometheus = ["up", "ALERTS", "scrape_samples_scraped"];
    for name in NAMES {
        let dashboard = dashboard(name);
        let of_panels = of_prometheus(&dashboard).flat_map(queries);
        for query in of_panels.chain(annotations(&dashboard)) {
            for selector in selectors(query) {
                let metric = selector.split('{').next().unwrap();
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| metric.strip_suffix(end))
                    .unwrap_or(metric);
                let is_known =
                    [metric, base].iter().any(|name| reference.contains(&format!("| `{name}` |")));
                assert!(is_known || prometheus.contains(&metric), "{name}: {metric}");
            }
        }
    }
}

/// Whether "Data is fresh" says so, or how old the oldest part is; in what Prometheus' own tool
/// computes from these series, at two hours.
#[test]
fn data_is_fresh_only_where_every_job_succeeded_in_time() {
    let overview = dashboard("overview");
    let panel = of_prometheus(&overview).find(|panel| panel["title"] == "Data is fresh").unwrap();
    let mut query = queries(panel)[0].to_owned();
    for variable in ["$tenant", "$instance", "$job"] {
        query = query.replace(variable, ".*");
    }
    let begun = "process_start_time_seconds 60";
    let job = |task: &str, off: u8| {
        format!(
            "cii_sync_off{{task=\"{task}\"}} {off}\n\
             cii_sync_interval_seconds{{task=\"{task}\"}} 600\n"
        )
    };
    let succeeded = |task: &str, at: u32| {
        format!("cii_sync_last_success_timestamp_seconds{{task=\"{task}\"}} {at}\n")
    };
    let delivered = "cii_webhook_last_delivery_timestamp_seconds 100\n";
    for (what, series, expected) in [
        ("all in time", job("users", 0) + &succeeded("users", 7000), Some(0)),
        ("just in time", job("users", 0) + &succeeded("users", 5400), Some(0)),
        ("late", job("users", 0) + &succeeded("users", 5300), Some(1900)),
        (
            "one of two late",
            job("users", 0) + &succeeded("users", 7000) + &job("ips", 0) + &succeeded("ips", 200),
            Some(7000),
        ),
        ("never", job("users", 0), Some(7140)),
        (
            "one of two never",
            job("users", 0) + &succeeded("users", 7000) + &job("ips", 0),
            Some(7140),
        ),
        (
            "off for want of a right",
            job("users", 0) + &succeeded("users", 7000) + &job("tenant", 1),
            Some(0),
        ),
        ("a delivery two hours ago", job("ips", 0) + &succeeded("ips", 7000) + delivered, Some(0)),
        ("no exporter", String::new(), None),
    ] {
        let series: String = if expected.is_some() {
            format!("{series}{begun}\ncii_tenant_info{{tenant=\"acme\"}} 1\n")
        } else {
            String::new()
        };
        let found = computed(&series, &query);
        assert_eq!(found, expected, "{what}");
    }
}

/// The one value of a query over series that stand still for two hours.
fn computed(series: &str, query: &str) -> Option<u32> {
    let labels = "instance=\"a\",job=\"cii-exporter\"";
    let lines: Vec<_> = series
        .lines()
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let series = series.strip_suffix('}').map_or_else(
                || format!("{series}{{{labels}}}"),
                |series| format!("{series},{labels}}}"),
            );
            format!("      - {{ series: '{series}', values: '{value}x120' }}\n")
        })
        .collect();
    let lines = lines.concat();
    // A value that cannot be: the tool prints what it got instead.
    let test = format!(
        "tests:\n  - interval: 1m\n    input_series:\n{lines}    promql_expr_test:\n      \
         - expr: '{query}'\n        eval_time: 2h\n        exp_samples: [{{ value: -7 }}]\n"
    );
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("fresh.test.yml");
    fs::write(&file, test).unwrap();
    let output = std::process::Command::new(tool("debian/usr/bin/promtool"))
        .args(["test", "rules"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let got = said.split("got:").nth(1).ok_or(&said).unwrap();
    if got.contains("nil") {
        return None;
    }
    let digits = |c: char| !c.is_ascii_digit() && c != '.' && c != 'E' && c != '+';
    let value = got.split("{}").nth(1).ok_or(&said).unwrap();
    let value = value.split(digits).find(|word| !word.is_empty()).unwrap();
    let value: f64 = value.parse().unwrap();
    Some(value.to_string().parse().unwrap())
}
