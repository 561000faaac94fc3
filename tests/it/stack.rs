//! With the real Prometheus, the real Alertmanager and a real collector: who is to
//! know gets to know, within a minute.

use std::time::{Duration, Instant};

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::Value;

use crate::harness::{Body, Protocol, Setup, Stack, attribute, until};

const ZOE: &str = "zoe@example.com";

/// The notification about an alert with this label.
async fn notified(stack: &Stack, alert: &str, label: &str, value: &str) -> Value {
    until(&format!("{alert} for {value}\n{}", stack.log()), || async {
        let alerts = stack.alerts();
        let is_it = |found: &&Value| {
            found["labels"]["alertname"] == alert && found["labels"][label] == value
        };
        alerts.iter().find(is_it).cloned()
    })
    .await
}

#[tokio::test]
async fn first_happenings_become_alerts_and_log_records_within_a_minute() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let mut zoe = User::new(ZOE, "Zoe Example");
        zoe.ip_addresses = vec![IpAddress::new("198.51.100.1")];
        tenant.add_user(zoe);
    });
    let mut stack = Stack::start().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [\"{ZOE}\"]\nfailing_users = false"))
        .sending_to(&stack.otlp_endpoint(), Protocol::Http)
        .start()
        .await;
    let baseline = format!("cii_user_new_ips_total{{login=\"{ZOE}\"}}");
    exporter.until_metric(&baseline, 0.0).await;
    stack.watch(exporter.ops_url.trim_start_matches("http://")).await;
    // What is asked for below did not exist when Prometheus looked last.
    for series in ["cii_user_last_new_ip_timestamp_seconds", "cii_check_failures_total"] {
        assert_eq!(stack.query(series).await, Some(0), "{series}");
    }

    let begun = Instant::now();
    let failed = Body::new("1", "never-seen", &["a@example.com"]);
    assert_eq!(exporter.deliver(&failed.json()).await, 200);
    let mut harmless = Body::new("2", "harmless", &["a@example.com"]).json();
    harmless["detail"]["severity"] = "low".into();
    assert_eq!(exporter.deliver(&harmless).await, 200);
    simulator.tenant(|tenant| {
        let zoe = tenant.user_mut(ZOE).unwrap();
        zoe.ip_addresses.push(IpAddress::new("203.0.113.7"));
    });

    let check = notified(&stack, "CiiCheckNewlyFailing", "check_id", "never-seen").await;
    until("the new address as an alert", || async {
        let firing = "ALERTS{alertname=\"CiiUserNewIp\", alertstate=\"firing\"}";
        stack.query(firing).await.filter(|found| *found > 0)
    })
    .await;
    // As much again for a busy machine.
    assert!(begun.elapsed() < Duration::from_mins(2), "{:?}", begun.elapsed());
    assert_eq!(check["receiver"], "security");
    assert_eq!(check["labels"]["severity"], "warning");
    assert_eq!(check["annotations"]["summary"], "Users newly fail a check");
    let description = check["annotations"]["description"].as_str().unwrap();
    let title = "Users newly failing: Title of never-seen (severity: high, check: never-seen).";
    assert!(description.starts_with(title), "{description}");
    let alerts = stack.alerts();
    let loud = alerts.iter().find(|alert| alert["labels"]["check_id"] == "harmless");
    assert!(loud.is_none(), "{loud:?}");

    // Two deliveries, two failures, the address, and the poll of a user whom the service
    // does not know.
    let records = stack.behind_the_collector.until_received(6).await;
    let of = |name: &str| {
        let is_it = |line: &&Value| line["record"]["eventName"] == name;
        records.iter().find(is_it).unwrap_or_else(|| panic!("{name} in {records:?}"))
    };
    assert_eq!(attribute(of("cii.check.failed"), "cii.check.id").unwrap(), "never-seen");
    assert_eq!(attribute(of("cii.user.ip.new"), "client.address").unwrap(), "203.0.113.7");
    exporter.stop().await;
    stack.stop().await;
}
