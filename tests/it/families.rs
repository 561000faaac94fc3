//! A scrape in which nothing is missing: what the reference of metrics lists is all there, and
//! the tools that read metrics have no complaint.

use std::{collections::BTreeSet, fs, process::Stdio};

use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, Location},
};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::harness::{
    Body, Exporter, Metrics, Protocol, Receiver, Setup, sample_payload, tool, until,
};

/// The names in the tables of `docs/metrics.md`.
fn documented() -> BTreeSet<String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    let (_, tables) = text.split_once("<!-- generated").unwrap();
    let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

/// The families of which the scrape has at least one sample.
fn shown(metrics: &Metrics) -> BTreeSet<String> {
    let parts = ["_bucket", "_sum", "_count"];
    let families = metrics.all().flat_map(|(series, _)| {
        let name = series.split('{').next().unwrap_or_default();
        let histogram = parts.iter().find_map(|part| name.strip_suffix(part));
        [Some(name), histogram].into_iter().flatten()
    });
    families.map(str::to_owned).collect()
}

/// Makes something of everything happen: a failure that ends, one that lasts too long, new
/// addresses, countries and users.
async fn everything_happens(simulator: &Simulator, exporter: &Exporter, login: &str, ip: &str) {
    let others: Vec<_> = simulator.tenant(|tenant| {
        let users = tenant.users().filter(|user| !user.failing_checks.contains("no-mfa"));
        let users = users.filter(|user| user.login != login && !user.has_ip(ip));
        users.map(|user| user.login.clone()).take(2).collect()
    });
    simulator.tenant(|tenant| {
        let elsewhere = IpAddress::new("198.51.100.7").at(Location::new("Suva", "Rewa", "FJ"));
        tenant.user_mut(login).unwrap().ip_addresses.push(elsewhere);
        tenant.user_mut(&others[0]).unwrap().ip_addresses.push(IpAddress::new(ip));
    });
    let delivery = Body::new("1", "no-mfa", &[&others[1]]).json();
    assert_eq!(exporter.deliver(&delivery).await, 200);
}

async fn promtool(text: &str) {
    let mut promtool = Command::new(tool("debian/usr/bin/promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(text.as_bytes()).await.unwrap();
    drop(input);
    let output = promtool.wait_with_output().await.unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[tokio::test]
async fn promtool_has_no_complaint_about_a_scrape_with_every_family() {
    let simulator = Simulator::start(Options { users: 40, ..Options::default() }).await.unwrap();
    let (login, ip) = simulator
        .tenant(|tenant| (tenant.logins()[0].clone(), tenant.busiest_addresses()[0].0.clone()));
    let mut receiver = Receiver::start().await;
    let schedule = "schedule = \"* * * * * *\"";
    let exporter = Setup::new()
        .with_web_config()
        .polling(&simulator, "* * * * * *")
        .tables("[sync]\nsettle = \"0s\"")
        .tables(&format!("[sync.tenant]\nenabled = true\n{schedule}\n[sync.service]\n{schedule}"))
        .watch(&format!("users = [{login:?}]\nips = [{ip:?}]"))
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    for task in ["users", "ips", "tenant", "service"] {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{task}\"}}"), 1.0).await;
    }
    // Only an event that waits has an age.
    receiver.stop().await;
    everything_happens(&simulator, &exporter, &login, &ip).await;
    let documented = documented();
    assert!(documented.len() > 80, "{documented:?}");
    for family in &documented {
        until(&format!("{family} in a scrape\n{}", exporter.log()), || async {
            shown(&exporter.metrics().await).contains(family).then_some(())
        })
        .await;
    }
    promtool(&exporter.metrics().await.text).await;
}

#[tokio::test]
async fn promtool_has_no_complaint_about_odd_words() {
    let exporter = Setup::new()
        .watch("users = [\"alice@example.com\"]\nips = [\"203.0.113.7\"]")
        .start()
        .await;
    exporter.post(sample_payload()).await.unwrap();
    let odd = Body::new("odd", "quote\"back\\slash\nline", &["\"><script>@example.com"]);
    assert_eq!(exporter.deliver(&odd.json()).await, 200);
    promtool(&exporter.metrics().await.text).await;
}
