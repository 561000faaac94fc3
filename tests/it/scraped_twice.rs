//! Exporters that tell the same of one tenant, scraped by one Prometheus as one job: what is true
//! of the tenant counts once.

use std::collections::BTreeMap;

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, Location},
};
use serde_json::{Value, json};

use crate::{
    dashboards::{NAMES, annotations, dashboard, of_prometheus, queries},
    harness::{Body, Exporter, Protocol, Setup, Stack, until},
};

const LISTING: &str = "[sync.tenant]\nenabled = true\nschedule = \"SCHEDULE\"\n\
     [sync.service]\nschedule = \"SCHEDULE\"\n[tenant]\nname = \"acme\"";

/// Alerts that stand for ten minutes after what is made to happen here.
const HAPPENED: [&str; 4] =
    ["CiiCheckNewlyFailing", "CiiUserNewIp", "CiiUserNewCountry", "CiiIpNewUser"];

/// Panels, annotations and variables about what an exporter does itself: they are sums over all exporters, or
/// have a curve for each.
const OF_EXPORTERS: [&str; 21] = [
    // The variable: where each one's page is.
    "exporter",
    "Restart",
    "Reload",
    "Requests by result",
    "Requests by operation",
    "Time to the answer",
    "Failing part by operation",
    "Answering",
    "Token expires in",
    "Sent again, 24 h",
    "Average run",
    "Commits",
    "Failed commits",
    "Lag",
    "Series",
    "Events taken, and failures",
    "Memory",
    "Processor",
    "Descriptors",
    // The files here are two, and replicas have one database.
    "Size",
    "Growth a day",
];

/// Recorded of each exporter: who it is, what it does itself, and what the others are made of.
const RECORDED_OF_EACH: [&str; 6] = [
    "job_instance:cii_tenant:newest",
    "job_instance:cii_tenant:info",
    "job_instance:cii_leading:info",
    "job_instance:cii_scraped:timestamp_10m_ago",
    "operation:cii_api_failures:ratio_rate15m",
    "job:cii_store_commit_duration_seconds:p99_5m",
];

/// Recorded of a time at which nobody scraped here.
const OF_BEFORE: [&str; 4] = [
    "job_instance:cii_mfa_coverage:max_7d",
    "tenant:cii_scraped:timestamp_10m_ago",
    "check:cii_check_failing_users:max_1h_ago",
    "login:cii_user_info:newest_10m_ago",
];

/// An exporter in which something of everything happened.
async fn eventful(simulator: &Simulator, login: &str, ip: &str) -> Exporter {
    let exporter = Setup::new()
        .polling(simulator, "* * * * * *")
        .tables(&LISTING.replace("SCHEDULE", "* * * * * *"))
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .sending_to("http://127.0.0.1:1", Protocol::Http)
        .start()
        .await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    exporter.until_metric(&format!("cii_user_new_ips_total{{login=\"{login}\"}}"), 0.0).await;
    exporter.until_metric(&format!("cii_ip_new_users_total{{ip=\"{ip}\"}}"), 0.0).await;
    let name = simulator.tenant(|tenant| {
        let place = Location::new("Nuuk", "Sermersooq", "Greenland");
        let address = IpAddress::new("198.51.100.1").at(place);
        tenant.user_mut(login).unwrap().ip_addresses.push(address);
        let innocent = tenant.users().find(|user| {
            !user.failing_checks.contains("no-mfa") && user.login != login && !user.has_ip(ip)
        });
        let name = innocent.unwrap().login.clone();
        tenant.user_mut(&name).unwrap().ip_addresses.push(IpAddress::new(ip));
        name
    });
    let mut delivery = Body::new("1", "no-mfa", &[&name]).json();
    delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    for series in ["cii_user_new_ips_total{login=\"LOGIN\"}", "cii_ip_new_users_total{ip=\"IP\"}"] {
        exporter.until_metric(&series.replace("LOGIN", login).replace("IP", ip), 1.0).await;
    }
    exporter
}

/// Starts an exporter on a copy of another one's database. It asks nobody any more.
async fn copied(from: &Setup, simulator: &Simulator, login: &str, ip: &str) -> Exporter {
    let mut setup = Setup::new()
        .polling(simulator, "0 0 0 1 1 *")
        .tables(&LISTING.replace("SCHEDULE", "0 0 0 1 1 *"))
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .sending_to("http://127.0.0.1:1", Protocol::Http);
    for job in ["USERS", "IPS", "TENANT", "SERVICE"] {
        setup = setup.variable(&format!("CII_EXPORTER_SYNC__{job}__ON_START"), "false");
    }
    let made = from.run(&["db", "backup", &setup.database().display().to_string()]).await;
    assert_eq!(made.code, 0, "{made:?}");
    setup.start().await
}

#[tokio::test]
async fn two_exporters_of_one_tenant_count_once_in_every_rule_alert_and_panel() {
    let simulator = Simulator::start(Options { users: 40, ..Options::default() }).await.unwrap();
    let (login, ip) = simulator.tenant(|tenant| {
        let ip = tenant.busiest_addresses()[0].0.clone();
        (tenant.logins()[0].clone(), ip)
    });
    // Copies of what stands still are equal.
    let original = eventful(&simulator, &login, &ip).await.stop().await;
    let one = copied(&original, &simulator, &login, &ip).await;
    let other = copied(&original, &simulator, &login, &ip).await;
    let mut stack = Stack::start().await;
    let addresses = [&one, &other].map(|exporter| exporter.ops_url.trim_start_matches("http://"));
    stack.watch_all(&addresses).await;
    for alert in HAPPENED {
        until(&format!("{alert}\n{}", stack.log()), || async {
            stack.query(&firing(alert)).await.filter(|found| *found > 0)
        })
        .await;
    }
    for (rule, error) in until("an evaluation of every rule", || stack.evaluated_rules()).await {
        assert_eq!(error, "", "{rule}");
    }
    // What is newest, and the names of those that are away, are looked for at each full minute.
    let named = "max_over_time(timestamp(cii_tenant_info)[1d:1m])";
    until("a full minute", || async { stack.query(named).await.filter(|found| *found == 2) }).await;
    every_recorded_series_is_of_the_tenant(&stack).await;
    every_panel_says_of_both_what_it_says_of_one(&stack, addresses[0], &login, &ip).await;
    the_page_of_an_alert_is_there(&stack).await;

    // It stays the same alert while one of them is away.
    let before = until("the alerts", || alerts(&stack)).await;
    assert_eq!(before.len(), HAPPENED.len(), "{before:?}");
    one.stop().await;
    let away = "count_over_time(up[5m]) - sum_over_time(up[5m]) > 1";
    until("a second scrape without it", || async {
        stack.query(away).await.filter(|found| *found == 1)
    })
    .await;
    assert_eq!(until("the alerts", || alerts(&stack)).await, before);
    other.stop().await;
    stack.stop().await;
}

fn firing(alert: &str) -> String {
    format!("ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}")
}

/// Every alert about the tenant within the last minutes, whether it still fires or not.
async fn alerts(stack: &Stack) -> Option<Vec<String>> {
    let query = format!(
        "max by (alertname, job, instance, tenant, login, ip, check_id) \
         (max_over_time(ALERTS{{alertname=~\"{}\", alertstate=\"firing\"}}[5m]))",
        HAPPENED.join("|")
    );
    Some(stack.values(&query, now()).await?.into_keys().collect())
}

fn now() -> i64 {
    cii_exporter::clock::now().timestamp()
}

async fn every_recorded_series_is_of_the_tenant(stack: &Stack) {
    let rules = include_str!("../../alerts/cii-exporter.rules.yml");
    let recorded = rules.lines().filter_map(|line| line.trim().strip_prefix("- record: "));
    let recorded: Vec<_> = recorded.filter(|name| !RECORDED_OF_EACH.contains(name)).collect();
    assert!(recorded.len() > 10, "{recorded:?}");
    for name in recorded {
        // A rule that looks at full minutes is evaluated a moment after one.
        let found = until(name, || async {
            let found = stack.values(name, now()).await?;
            (!found.is_empty() || OF_BEFORE.contains(&name)).then_some(found)
        })
        .await;
        for labels in found.keys() {
            let labels: Value = serde_json::from_str(labels).unwrap();
            assert_eq!(labels["tenant"], "acme", "{labels}");
            assert!(labels["instance"].is_null(), "{labels}");
        }
    }
}

async fn every_panel_says_of_both_what_it_says_of_one(
    stack: &Stack,
    one: &str,
    login: &str,
    ip: &str,
) {
    let moment = now();
    let mut compared = 0;
    for name in NAMES {
        let dashboard = dashboard(name);
        let of_panels = of_prometheus(&dashboard).flat_map(|panel| {
            queries(panel).into_iter().map(|query| (panel["title"].as_str().unwrap(), query))
        });
        let list = dashboard["annotations"]["list"].as_array().unwrap();
        let marks = list.iter().map(|mark| mark["name"].as_str().unwrap());
        let of_annotations = marks.zip(annotations(&dashboard));
        // The others are values of a label, in which nothing counts twice.
        let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
        let of_variables = variables.filter_map(|variable| {
            let query = variable["query"]["query"].as_str()?.strip_prefix("query_result(")?;
            Some((variable["name"].as_str()?, query.strip_suffix(')')?))
        });
        for (title, query) in of_panels.chain(of_annotations).chain(of_variables) {
            let mut answers = Vec::new();
            for instance in [one, ".*"] {
                let mut asked = query.to_owned();
                for (variable, value) in [
                    ("$__rate_interval", "2m"),
                    // Nobody has waited for a week here: what was then is what is now.
                    (" offset 7d", ""),
                    ("$mfa_target", "95"),
                    ("$severity", ".*"),
                    ("$check", ".*"),
                    ("$instance", instance),
                    ("$job", ".*"),
                    ("$tenant", "acme"),
                    ("$login", login),
                    ("$ip", ip),
                ] {
                    asked = asked.replace(variable, value);
                }
                answers.push(until(&asked, || stack.values(&asked, moment)).await);
            }
            if OF_EXPORTERS.contains(&title) {
                continue;
            }
            assert_eq!(answers[0], answers[1], "{name}: {title}: {query}");
            compared += usize::from(!answers[0].is_empty());
        }
    }
    // Most of them have something to say here.
    assert!(compared > 60, "{compared}");
}

/// An alert without an instance leads to one that is there.
async fn the_page_of_an_alert_is_there(stack: &Stack) {
    let alert = until("a notification", || async {
        let is_it = |alert: &&Value| alert["labels"]["alertname"] == "CiiCheckNewlyFailing";
        stack.alerts().iter().find(is_it).cloned()
    })
    .await;
    let told: Vec<_> = stack
        .alerts()
        .into_iter()
        .map(|alert| alert["labels"].to_string())
        .filter(|labels| labels.contains("CiiCheckNewlyFailing"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    for annotation in ["page", "link"] {
        let url = alert["annotations"][annotation].as_str().unwrap();
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
    }
    let dashboard = alert["annotations"]["dashboard_url"].as_str().unwrap();
    assert!(dashboard.contains("?var-tenant=acme&"), "{dashboard}");
}

#[tokio::test]
async fn an_alert_explains_others_of_its_exporter_or_tenant_and_no_others() {
    let stack = Stack::start().await;
    let of = |name: &str, tenant: &str, instance: &str| {
        let labels = [("alertname", name), ("job", "cii-exporter")];
        let more = [("tenant", tenant), ("instance", instance)];
        let labels = labels.into_iter().chain(more).filter(|(_, value)| !value.is_empty());
        json!(labels.collect::<BTreeMap<_, _>>())
    };
    let with = |mut labels: Value, name: &str, value: &str| {
        labels[name] = value.into();
        labels
    };
    let sources = [
        of("CiiTokenRefused", "acme", "a"),
        of("CiiTokenRefused", "unnamed", "u"),
        of("CiiOtlpBacklog", "acme", ""),
        of("CiiStoreUnavailable", "acme", "a"),
        of("CiiNoLeader", "umbrella", ""),
        with(of("CiiExporterDown", "initech", "i"), "severity", "warning"),
        with(of("CiiExporterDown", "hooli", "h"), "severity", "critical"),
        with(of("CiiCheckNewlyFailing", "acme", ""), "check_id", "x"),
    ];
    let explained = [
        of("CiiApiFailing", "acme", "a"),
        of("CiiSyncStale", "acme", ""),
        of("CiiSyncStale", "unnamed", "u"),
        of("CiiOtlpBacklogGrowing", "acme", ""),
        of("CiiWebhookSilent", "acme", ""),
        of("CiiStoreSlow", "acme", "a"),
        of("CiiSyncStale", "umbrella", ""),
        of("CiiWebhookMalformed", "initech", "i"),
        of("CiiSyncStale", "hooli", ""),
        of("CiiWebhookMalformed", "hooli", "h"),
        with(of("CiiFailingUsersGrowing", "acme", ""), "check_id", "x"),
    ];
    let others = [
        of("CiiApiFailing", "acme", "b"),
        of("CiiSyncStale", "globex", ""),
        of("CiiSyncStale", "unnamed", "v"),
        of("CiiOtlpBacklogGrowing", "globex", ""),
        of("CiiWebhookSilent", "globex", ""),
        of("CiiStoreSlow", "acme", "b"),
        of("CiiWebhookMalformed", "initech", "j"),
        of("CiiSyncStale", "initech", ""),
        with(of("CiiFailingUsersGrowing", "globex", ""), "check_id", "x"),
    ];
    until("Alertmanager", || async {
        stack.fire(&[&sources[..], &explained, &others].concat()).await.ok()
    })
    .await;
    let sorted = |mut alerts: Vec<Value>| {
        alerts.sort_by_key(ToString::to_string);
        alerts
    };
    let expected = sorted(explained.to_vec());
    until("those that are explained", || async {
        (sorted(stack.inhibited().await?) == expected).then_some(())
    })
    .await;
    stack.stop().await;
}

#[tokio::test]
async fn a_name_of_a_job_alone_stands_for_it_where_prometheus_knows_no_exporter() {
    let stack = Stack::start().await;
    let down = json!({ "alertname": "CiiExporterDown", "job": "j", "severity": "critical" });
    let explained = json!({ "alertname": "CiiSyncStale", "job": "j", "tenant": "acme" });
    let other = json!({ "alertname": "CiiSyncStale", "job": "k", "tenant": "acme" });
    until("Alertmanager", || async {
        stack.fire(&[down.clone(), explained.clone(), other.clone()]).await.ok()
    })
    .await;
    until("what is explained", || async {
        (stack.inhibited().await? == [explained.clone()]).then_some(())
    })
    .await;
    stack.stop().await;
}
