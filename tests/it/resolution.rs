//! Time to resolve: how long failures last, and whose last too long.

use chrono::TimeDelta;
use cii_exporter::clock;
use cii_simulator::{Fault, Kind, Options, Simulator};
use serde_json::{Value, json};

use crate::harness::{Body, Exporter, Metrics, Setup, until};

const CHECK: &str = "{check_id=\"no-mfa\"}";

/// A delivery of one user who fails `no-mfa` for so long.
fn failing_for(id: &str, login: &str, time: TimeDelta) -> Value {
    let mut body = Body::new(id, "no-mfa", &[login]).json();
    body["detail"]["published"] = json!((clock::now() - time).to_rfc3339());
    body
}

fn bucket(metrics: &Metrics, bound: &str) -> Option<f64> {
    let series = "cii_check_failure_duration_seconds_bucket{check_id=\"no-mfa\",le=";
    metrics.get(&format!("{series}\"{bound}\"}}"))
}

/// The tenant's users, none of whom fails `no-mfa` but the first.
async fn tenant() -> (Simulator, Vec<String>) {
    let simulator = Simulator::start(Options { users: 6, ..Options::default() }).await.unwrap();
    let logins: Vec<String> =
        simulator.tenant(|tenant| tenant.users().map(|user| user.login.clone()).collect());
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.set_failing(login, "no-mfa", login == &logins[0]);
        }
    });
    (simulator, logins)
}

#[tokio::test]
async fn failures_whose_beginning_is_known_are_counted_by_how_long_they_lasted() {
    let (simulator, logins) = tenant().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{:?}]", logins[0]))
        .start()
        .await;
    // The first one was seen failing, who knows since when.
    exporter.until_metric(&format!("cii_user_failing_checks{{login={:?}}}", logins[0]), 1.0).await;
    for (id, login, time) in [
        ("1", &logins[1], TimeDelta::minutes(30)),
        ("2", &logins[2], TimeDelta::hours(5)),
        ("3", &logins[3], TimeDelta::hours(40)),
    ] {
        assert_eq!(exporter.deliver(&failing_for(id, login, time)).await, 200);
    }
    exporter.until_metric(&format!("cii_check_resolutions_total{CHECK}"), 3.0).await;
    simulator.tenant(|tenant| tenant.set_failing(&logins[0], "no-mfa", false));
    let metrics = exporter.until_metric(&format!("cii_check_resolutions_total{CHECK}"), 4.0).await;
    for (bound, count) in [("3600", 1.0), ("14400", 1.0), ("43200", 2.0), ("86400", 2.0)] {
        assert_eq!(bucket(&metrics, bound), Some(count), "{bound}\n{}", metrics.text);
    }
    assert_eq!((bucket(&metrics, "172800"), bucket(&metrics, "+Inf")), (Some(3.0), Some(3.0)));
    let count = format!("cii_check_failure_duration_seconds_count{CHECK}");
    assert_eq!(metrics.get(&count), Some(3.0));
    let sum = metrics.get(&format!("cii_check_failure_duration_seconds_sum{CHECK}")).unwrap();
    assert!((sum - 45.5 * 3600.0).abs() < 120.0, "{sum}");
    // The events say the same, of the first one, too.
    let (_, page) = exporter.api("GET", "/events?name=cii.check.resolved", None).await;
    assert_eq!(page["events"].as_array().unwrap().len(), 4, "{page}");

    // No answer comes between the two scrapes: a run that failed began after the last one.
    simulator.faults().add(Fault::graphql(Kind::Status(503, None)));
    exporter.until_metric("cii_sync_up{task=\"users\"}", 0.0).await;
    let before = exporter.metrics().await;
    let exporter = exporter.kill().await.start().await;
    let after = exporter.metrics().await;
    assert_eq!(after.of_tenant(), before.of_tenant());
    let answer = reqwest::Client::new()
        .get(format!("{}/metrics", exporter.ops_url))
        .header("accept", "application/openmetrics-text")
        .send()
        .await
        .unwrap();
    let text = answer.text().await.unwrap();
    assert!(text.contains("no-mfa\",le=\"3600.0\"} 1\n"), "{text}");
    assert!(text.contains("no-mfa\",le=\"+Inf\"} 3\n"), "{text}");
}

async fn overdue(exporter: &Exporter) -> Option<f64> {
    exporter.metrics().await.get(&format!("cii_check_overdue_users{CHECK}"))
}

#[tokio::test]
async fn a_failure_becomes_overdue_by_time_alone() {
    // Longer than it takes to look, also on a busy machine.
    let mut exporter = Setup::new().tables("[slo]\nhigh = \"20s\"").start().await;
    let begun = clock::now();
    for (id, login, age) in [("1", "a@example.com", 60), ("2", "b@example.com", 0)] {
        let body = failing_for(id, login, TimeDelta::seconds(age));
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    assert_eq!(overdue(&exporter).await, Some(1.0));
    let metrics = exporter.metrics().await;
    let oldest = metrics.get(&format!("cii_check_oldest_failure_timestamp_seconds{CHECK}"));
    let at = |second: i64| f64::from(u32::try_from(second - 60).unwrap());
    let told = at(begun.timestamp())..=at(clock::now().timestamp() + 1);
    assert!(told.contains(&oldest.unwrap()), "{oldest:?}");
    let confirmed = metrics.get(&format!("cii_check_oldest_confirmation_timestamp_seconds{CHECK}"));
    assert_eq!(confirmed, oldest);
    // Nothing happens, and yet it changes.
    until("the second one to be overdue", || async {
        (overdue(&exporter).await == Some(2.0)).then_some(())
    })
    .await;

    // A reload counts anew; an objective that is gone takes its series along.
    for (old, new, expected) in [
        ("\"20s\"", "\"1h\"", Some(0.0)),
        ("\"1h\"", "\"none\"", None),
        ("\"none\"", "\"1ms\"", Some(2.0)),
    ] {
        exporter.setup().replace(old, new);
        exporter.setup().write_config();
        let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
        assert_eq!(reload.send().await.unwrap().status(), 200);
        until(new, || async { (overdue(&exporter).await == expected).then_some(()) }).await;
    }
    exporter.setup().replace("[slo]", "[slo]\nexcept = [\"no-mfa\"]");
    let exporter = exporter.kill().await.start().await;
    assert_eq!(overdue(&exporter).await, None, "a check that is left out has no objective");
    // By default a high check has two weeks.
    let exporter = exporter.stop().await;
    let mut setup = exporter;
    setup.replace("[slo]\nexcept = [\"no-mfa\"]\nhigh = \"1ms\"", "");
    let exporter = setup.start().await;
    assert_eq!(overdue(&exporter).await, Some(0.0));
}
