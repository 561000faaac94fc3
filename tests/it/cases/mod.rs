//! Small inputs that real services, proxies and senders give, and the right value of each.
//!
//! The doc comment of a test names the case that it stands for.

mod decisions;
mod deliveries;
mod identity;
mod nulls;
mod outages;
mod people;
mod places;
mod rights;
mod rows;
mod texts;
mod tokens;
mod unknown;
mod words;

use cii_simulator::{Options, Simulator};

use crate::harness::{Exporter, Metrics, Setup, until};

const EVERY_SECOND: &str = "* * * * * *";
/// A schedule that no test lives to see.
const NEVER: &str = "0 0 0 1 1 *";

async fn simulator(users: usize) -> Simulator {
    Simulator::start(Options { users, ..Options::default() }).await.unwrap()
}

/// A daemon that asks about some users of a tenant each second, and tries nothing twice.
fn watching(simulator: &Simulator, users: &[&str]) -> Setup {
    Setup::new()
        .polling(simulator, EVERY_SECOND)
        .api("retries = 0")
        .watch(&format!("users = {users:?}"))
}

/// A daemon that lists the tenant each second, and asks about nobody.
fn listing(simulator: &Simulator) -> Setup {
    let tables = "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"";
    Setup::new().polling(simulator, NEVER).api("retries = 0").tables(tables)
}

fn up(job: &str) -> String {
    format!("cii_sync_up{{task=\"{job}\"}}")
}

fn targets(job: &str, result: &str) -> String {
    format!("cii_sync_targets{{result=\"{result}\",task=\"{job}\"}}")
}

fn last_success(metrics: &Metrics, job: &str) -> Option<f64> {
    metrics.get(&format!("cii_sync_last_success_timestamp_seconds{{task=\"{job}\"}}"))
}

fn poll_up(login: &str) -> String {
    format!("cii_user_poll_up{{login=\"{login}\"}}")
}

/// The users who fail a check, under whatever severity.
fn failing(metrics: &Metrics, check: &str) -> f64 {
    let id = format!("check_id=\"{check}\"");
    let series = metrics.series("cii_check_failing_users");
    series.iter().filter(|(series, _)| series.contains(&id)).map(|(_, users)| users).sum()
}

/// The users of the tenant, as its listing counts them.
fn listed(metrics: &Metrics) -> f64 {
    metrics.series("cii_tenant_users").iter().map(|(_, users)| users).sum()
}

/// Waits until a root field was asked for so many times more.
async fn until_asked(simulator: &Simulator, operation: &str, times: usize) {
    let before = simulator.requests().count(operation);
    until(&format!("{times} more requests for {operation}"), || async {
        (simulator.requests().count(operation) >= before + times).then_some(())
    })
    .await;
}

/// Waits until the log has a line of this level with all of these texts.
async fn until_logged(exporter: &Exporter, level: &str, texts: &[&str]) {
    let what = format!("{level} with {texts:?}\n{}", exporter.log());
    until(&what, || async {
        let log = exporter.log();
        let is_meant =
            |line: &&str| line.contains(level) && texts.iter().all(|text| line.contains(text));
        log.lines().find(is_meant).map(|_| ())
    })
    .await;
}

/// What the API says of a job.
async fn job(exporter: &Exporter, name: &str) -> serde_json::Value {
    let (status, answer) = exporter.api("GET", "/jobs", None).await;
    assert_eq!(status, 200, "{answer}");
    let jobs = answer["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == name || job["name"] == name).unwrap().clone()
}

/// The events of a name, as the API has them.
async fn events(exporter: &Exporter, name: &str) -> Vec<serde_json::Value> {
    let path = format!("/events?name={name}&limit=1000");
    let (status, answer) = exporter.api("GET", &path, None).await;
    assert_eq!(status, 200, "{answer}");
    answer["events"].as_array().unwrap().clone()
}
