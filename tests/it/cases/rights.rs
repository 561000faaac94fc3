//! Rights that the API client lacks.

use cii_simulator::{AppsyncError, Fault, Kind};

use super::{EVERY_SECOND, simulator, until_asked, until_logged};
use crate::harness::Setup;

/// Each root field without a right switches off what needs it, and nothing else.
#[tokio::test]
async fn a_job_without_a_right_is_off_says_so_and_asks_rarely() {
    for (operation, job) in
        [("listEndUsers", "tenant"), ("getEndUsersByIp", "ips"), ("getEndUserState", "users")]
    {
        for strict in [false, true] {
            let simulator = simulator(12).await;
            let error = AppsyncError { strict, ..AppsyncError::unauthorized(operation) };
            simulator.faults().add(Fault::graphql(Kind::Error(error)).of(operation));
            let mut also = Vec::new();
            if job == "users" {
                also.push("getEndUser");
                let error = AppsyncError::unauthorized("getEndUser");
                simulator.faults().add(Fault::graphql(Kind::Error(error)).of("getEndUser"));
            }
            let exporter = Setup::new()
                .polling(&simulator, EVERY_SECOND)
                .api("retries = 0")
                .tables(
                    "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
                     [sync.service]\nschedule = \"* * * * * *\"",
                )
                .watch("users = [\"alice@example.com\"]\nips = [\"203.0.113.7\"]")
                .start()
                .await;
            exporter.until_metric(&format!("cii_sync_off{{task=\"{job}\"}}"), 1.0).await;
            let missing = format!("cii_api_right_missing{{operation=\"{operation}\"}}");
            exporter.until_metric(&missing, 1.0).await;
            until_logged(&exporter, "WARN", &[operation]).await;
            let page = exporter.get("/health").await.1;
            assert!(page.contains(operation), "{page}");
            // While it is off, it is not asked for each second.
            let before = simulator.requests().count(operation);
            until_asked(&simulator, "getIntegrationsStatus", 4).await;
            let asked = simulator.requests().count(operation) - before;
            assert!(asked <= 1, "{operation} was asked for {asked} times");
            // The jobs that need other rights go on.
            let metrics = exporter.metrics().await;
            for other in ["tenant", "ips", "users", "service"] {
                if other != job {
                    let off = metrics.get(&format!("cii_sync_off{{task=\"{other}\"}}"));
                    assert_eq!(off, Some(0.0), "{other} is off without {operation}");
                }
            }
        }
    }
}

/// A right to one field that is missing costs that field alone.
#[tokio::test]
async fn a_field_without_a_right_is_unknown_and_the_job_goes_on() {
    let simulator = simulator(12).await;
    let message = "Not Authorized to access ipAddresses on type EndUserState";
    let error = AppsyncError::new("Unauthorized", message).at_field("ipAddresses");
    simulator.faults().add(Fault::graphql(Kind::Error(error)).of("getEndUserState"));
    let exporter = super::watching(&simulator, &["alice@example.com"]).start().await;
    let metrics = exporter.until_metric(&super::up("users"), 1.0).await;
    assert_eq!(metrics.get("cii_sync_off{task=\"users\"}"), Some(0.0), "{}", exporter.log());
    let of_alice = |metric: &str| metrics.get(&format!("{metric}{{login=\"alice@example.com\"}}"));
    assert!(of_alice("cii_user_used_applications").is_some(), "{}", metrics.text);
    assert_eq!(of_alice("cii_user_ip_addresses"), None);
    until_asked(&simulator, "getEndUserState", 2).await;
}

/// Without a right to the failing checks no failure ends, so the job is off.
#[tokio::test]
async fn without_a_right_to_the_failing_checks_the_job_is_off() {
    let simulator = simulator(12).await;
    let message = "Not Authorized to access failingChecks on type PublicEndUserDetails";
    let path = ["endUserDetails", "failingChecks"].map(|field| serde_json::json!(field));
    let error = AppsyncError::new("Unauthorized", message).at(path);
    simulator.faults().add(Fault::graphql(Kind::Error(error)).of("getEndUser"));
    let exporter = super::watching(&simulator, &["alice@example.com"]).start().await;
    let metrics = exporter.until_metric("cii_sync_off{task=\"users\"}", 1.0).await;
    assert_eq!(metrics.get(&super::up("users")), Some(0.0), "{}", exporter.log());
    let reason = super::job(&exporter, "users").await["reason"].to_string();
    assert!(reason.contains("no right to getEndUser: failingChecks"), "{reason}");
    assert_eq!(exporter.metrics().await.get(&super::poll_up("alice@example.com")), Some(0.0));
}
