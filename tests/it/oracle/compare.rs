//! What the daemon shows, held against the model: metrics, API and command line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    expected::{self, Value},
    model::{Model, Truth},
};
use crate::harness::{Exporter, Metrics};

/// Families that tell of the exporter and its process, not of the tenant.
const OWN: [&str; 18] = [
    "cii_api_",
    "cii_build_info",
    "cii_config_",
    "cii_http_",
    "cii_leader",
    "cii_ops_shed",
    "cii_otlp_export",
    "cii_panics",
    "cii_store_",
    "cii_sync_",
    "cii_web_config_",
    "cii_webhook_held",
    "cii_webhook_limited",
    "cii_webhook_misdirected",
    "cii_webhook_request",
    "cii_webhook_shed",
    "cii_webhook_skipped",
    "process_",
];

/// Families whose counts are compared with each other, and not with the model.
const HISTOGRAM: &str = "cii_check_failure_duration_seconds_";

pub fn is_own(series: &str) -> bool {
    OWN.iter().any(|family| series.starts_with(family))
}

/// How the series differ from the model's: missing, stale, and with another value.
pub fn metrics(model: &Model, truth: &Truth, metrics: &Metrics) -> Vec<String> {
    let expected = expected::series(model, truth);
    let mut wrong = Vec::new();
    for (series, value) in &expected {
        let shown = metrics.get(series);
        let is_right = match value {
            Value::Is(number) => shown == Some(*number),
            Value::Some => shown.is_some(),
            Value::Maybe => true,
        };
        if !is_right {
            wrong.push(format!("{series} is {shown:?}, expected {value:?}"));
        }
    }
    for (series, value) in metrics.all().filter(|(series, _)| !is_own(series)) {
        if series.starts_with(HISTOGRAM) {
            let id = series.split("check_id=\"").nth(1).and_then(|rest| rest.split('"').next());
            if id.is_none_or(|id| !model.words.contains_key(id) || !model.admits(id)) {
                wrong.push(format!("{series} is stale"));
            }
        } else if !expected.contains_key(series) {
            wrong.push(format!("{series} is {value}, expected none"));
        }
    }
    wrong
}

/// The tenant's lines of a scrape as they are, for a comparison byte by byte. What waits
/// for the collector, and how old the scrape is, are of the moment.
pub fn tenant_lines(metrics: &Metrics) -> String {
    let is_meant = |line: &&str| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        !is_own(name) && !name.starts_with("cii_otlp_") && !name.starts_with("cii_metrics_lag")
    };
    metrics.text.lines().filter(is_meant).collect::<Vec<_>>().join("\n")
}

fn texts(list: &Json, field: &str) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| Some(item[field].as_str()?.to_ascii_lowercase())).collect()
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, shown: &T, expected: &T) -> Option<String> {
    (shown != expected).then(|| format!("{what}: {shown:?}, expected {expected:?}"))
}

pub async fn api(
    model: &Model,
    truth: &Truth,
    metrics: &Metrics,
    exporter: &Exporter,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let (_, list) = exporter.api("GET", "/checks", None).await;
    let shown: BTreeMap<String, Option<u64>> = list["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some((one["id"].as_str()?.to_owned(), one["failing_users"].as_u64())))
        .collect();
    let admitted: Vec<_> = model.words.keys().filter(|id| model.admits(id)).collect();
    let count = |id: &str| u64::try_from(model.failing(id, truth).len()).ok();
    let expected = admitted.iter().map(|id| ((*id).clone(), count(id))).collect();
    wrong.extend(differ("/checks", &shown, &expected));
    for id in admitted {
        let (_, page) = exporter.api("GET", &format!("/checks/{id}/users?limit=1000"), None).await;
        let shown = texts(&page["users"], "login");
        wrong.extend(differ(&format!("/checks/{id}/users"), &shown, &model.failing(id, truth)));
    }
    for login in model.listed() {
        let path = format!("/users/{login}");
        let (_, user) = exporter.api("GET", &path, None).await;
        let shown = texts(&user["failing_checks"], "check_id");
        wrong.extend(differ(&path, &shown, &model.fails(login, truth)));
        if let Some(known) = model.snapshot(login, truth) {
            for (field, expected) in [
                ("used_applications", &known.used_applications),
                ("unused_applications", &known.unused_applications),
            ] {
                let list = user["snapshot"][field].as_array().into_iter().flatten();
                let shown: BTreeSet<_> = list.filter_map(Json::as_str).collect();
                let expected = expected.iter().map(String::as_str).collect();
                wrong.extend(differ(&format!("{path} {field}"), &shown, &expected));
            }
            let series = format!("cii_user_new_ips_total{{login=\"{login}\"}}");
            let new = user["snapshot"]["new_ips"].as_f64();
            wrong.extend(differ(&series, &metrics.get(&series), &new));
            let series = format!("cii_user_last_new_ip_timestamp_seconds{{login=\"{login}\"}}");
            let is_known = user["snapshot"]["last_new_ip_at"].is_string();
            wrong.extend(differ(&series, &metrics.get(&series).is_some(), &is_known));
            let shown = texts(&user["snapshot"]["ip_addresses"], "ip").len();
            wrong.extend(differ(
                &format!("{path} ip_addresses"),
                &shown,
                &known.ip_addresses.len(),
            ));
        }
    }
    let (_, list) = exporter.api("GET", "/watch", None).await;
    wrong.extend(differ("/watch", &watched(&list), &watch_list(model)));
    wrong
}

pub async fn commands(model: &Model, exporter: &Exporter) -> Vec<String> {
    let list = exporter.run(&["watch", "list", "--json"]).await;
    let mut wrong: Vec<_> =
        differ("watch list", &watched(&list.json()), &watch_list(model)).into_iter().collect();
    if let Some(login) = model.listed().first() {
        let (_, page) =
            exporter.api("GET", &format!("/events?limit=1000&login={login}"), None).await;
        let logged = page["events"].as_array().map_or(0, Vec::len);
        let history = ["user", login.as_str(), "--history", "--limit", "1000", "--json"];
        let history = exporter.run(&history).await.json();
        let told = history["events"].as_array().map(Vec::len);
        wrong.extend(differ(&format!("user {login} --history"), &told, &Some(logged)));
    }
    wrong
}

type Entries = BTreeSet<(String, String, String)>;

fn watched(list: &Json) -> Entries {
    let text =
        |entry: &Json, field: &str| entry[field].as_str().unwrap_or_default().to_ascii_lowercase();
    let entries = list["entries"].as_array().into_iter().flatten();
    entries.map(|one| (text(one, "kind"), text(one, "subject"), text(one, "source"))).collect()
}

fn watch_list(model: &Model) -> Entries {
    let users = [
        (&model.configured, "configuration"),
        (&model.commanded, "command"),
        (&model.named, "webhook"),
    ];
    let entry = |kind: &str, subject: &String, source: &str| {
        (kind.to_owned(), subject.clone(), source.to_owned())
    };
    let users = users
        .iter()
        .flat_map(|(all, source)| all.iter().map(move |login| entry("user", login, source)));
    let ips = [(&model.ips, "configuration"), (&model.commanded_ips, "command")];
    let ips =
        ips.iter().flat_map(|(all, source)| all.iter().map(move |ip| entry("ip", ip, source)));
    users.chain(ips).collect()
}
