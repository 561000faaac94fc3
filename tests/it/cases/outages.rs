//! Outages that come with HTTP status 200 and an error for each subject.

use cii_simulator::{AppsyncError, Fault, Kind, Simulator};

use super::{
    EVERY_SECOND, NEVER, last_success, simulator, targets, until_asked, until_logged, up, watching,
};
use crate::harness::{Exporter, Setup, until};

const LOGINS: [&str; 4] = ["a@example.com", "b@example.com", "c@example.com", "svc.account"];

async fn tenant() -> Simulator {
    let simulator = simulator(3).await;
    simulator.tenant(|tenant| {
        for login in LOGINS {
            tenant.add_user(cii_simulator::tenant::User::new(login, "Somebody"));
        }
    });
    simulator
}

/// Runs a job into an outage of these root fields: it is not up, the time of its last success
/// stays, the log says why, and it recovers.
async fn is_no_success(
    simulator: &Simulator,
    exporter: &Exporter,
    job: &str,
    operations: &[&str],
    error: AppsyncError,
) {
    exporter.until_metric(&up(job), 1.0).await;
    for operation in operations {
        simulator.faults().add(Fault::graphql(Kind::Error(error.clone())).of(operation));
    }
    let metrics = exporter.until_metric(&up(job), 0.0).await;
    let before = last_success(&metrics, job).unwrap();
    until_logged(exporter, "WARN", &[&error.message]).await;
    let metrics = exporter.metrics().await;
    assert_eq!(last_success(&metrics, job), Some(before), "{error:?}\n{}", exporter.log());
    assert_eq!(metrics.get(&targets(job, "not_found")).unwrap_or(0.0), 0.0);
    simulator.faults().clear();
    let metrics = exporter.until_metric(&up(job), 1.0).await;
    assert!(last_success(&metrics, job) > Some(before));
}

/// A1, and the same where the service takes all data with it.
#[tokio::test]
async fn a_run_over_users_that_an_outage_leaves_without_answers_is_no_success() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &LOGINS).start().await;
    for error in [
        AppsyncError::timed_out(),
        AppsyncError::timed_out().strictly(),
        AppsyncError::name_not_resolved(),
        AppsyncError::table_not_found(),
    ] {
        let operations = ["getEndUserState", "getEndUser"];
        is_no_success(&simulator, &exporter, "users", &operations, error).await;
    }
}

/// A1 for addresses.
#[tokio::test]
async fn a_run_over_addresses_that_an_outage_leaves_without_answers_is_no_success() {
    let simulator = tenant().await;
    let exporter = Setup::new()
        .polling(&simulator, EVERY_SECOND)
        .api("retries = 0")
        .watch("ips = [\"203.0.113.7\", \"198.51.100.1\"]")
        .start()
        .await;
    for error in [AppsyncError::timed_out(), AppsyncError::name_not_resolved().strictly()] {
        is_no_success(&simulator, &exporter, "ips", &["getEndUsersByIp"], error).await;
    }
}

/// A1 for the tenant's listing.
#[tokio::test]
async fn a_listing_that_an_outage_leaves_without_a_page_is_no_success() {
    let simulator = tenant().await;
    let exporter = super::listing(&simulator).start().await;
    for error in [AppsyncError::timed_out().strictly(), AppsyncError::name_not_resolved()] {
        is_no_success(&simulator, &exporter, "tenant", &["listEndUsers"], error).await;
    }
}

/// A3.
#[tokio::test]
async fn a_run_without_integrations_and_administrators_is_no_success() {
    let simulator = tenant().await;
    let tables = "[sync.service]\nschedule = \"* * * * * *\"";
    let exporter =
        Setup::new().polling(&simulator, NEVER).api("retries = 0").tables(tables).start().await;
    for error in [AppsyncError::timed_out(), AppsyncError::new("InternalFailure", "null pointer")] {
        let operations = ["getIntegrationsStatus", "listAdminLogins"];
        is_no_success(&simulator, &exporter, "service", &operations, error).await;
    }
}

/// A1: an outage from the first run on is never a success.
#[tokio::test]
async fn an_outage_from_the_start_leaves_no_time_of_a_success() {
    let simulator = tenant().await;
    simulator.faults().add(Fault::graphql(Kind::Error(AppsyncError::timed_out())));
    let exporter = watching(&simulator, &LOGINS).start().await;
    until_logged(&exporter, "WARN", &["Task timed out after 30.00 seconds"]).await;
    exporter.until_metric(&up("users"), 0.0).await;
    let metrics = exporter.metrics().await;
    assert!(last_success(&metrics, "users").unwrap_or(0.0) == 0.0, "{}", metrics.text);
}

/// A1: more than half without an answer is no success, half of them is one.
#[tokio::test]
async fn half_of_the_answers_make_a_success_and_less_do_not() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &LOGINS).start().await;
    exporter.until_metric(&targets("users", "ok"), 4.0).await;
    let refuse = |login: &str| {
        let error = Kind::Error(AppsyncError::new("InternalFailure", "null pointer"));
        simulator.faults().add(Fault::graphql(error).about(login));
    };
    refuse("a@example.com");
    refuse("b@example.com");
    let metrics = exporter.until_metric(&targets("users", "failed"), 2.0).await;
    assert_eq!(metrics.get(&up("users")), Some(1.0));
    refuse("c@example.com");
    let metrics = exporter.until_metric(&targets("users", "failed"), 3.0).await;
    assert_eq!(metrics.get(&up("users")), Some(0.0), "{}", exporter.log());
    until_logged(&exporter, "WARN", &["InternalFailure", "a@example.com"]).await;
}

/// A1: users whom the service does not know are answers.
#[tokio::test]
async fn users_who_do_not_exist_are_answers() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &["x@example.com", "y@example.com", "z"]).start().await;
    let metrics = exporter.until_metric(&targets("users", "not_found"), 3.0).await;
    assert_eq!(metrics.get(&up("users")), Some(1.0), "{}", exporter.log());
}

/// Throttling in `AppSync`'s form slows the client as a 429 does.
#[tokio::test]
async fn throttling_with_status_200_counts_as_throttling() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &LOGINS).start().await;
    exporter.until_metric(&up("users"), 1.0).await;
    let series = "cii_api_requests_total{operation=\"getEndUserState\",result=\"throttled\"}";
    for error in [AppsyncError::throughput_exceeded(), AppsyncError::too_many_requests()] {
        let before = exporter.metrics().await.get(series).unwrap();
        simulator.faults().add(Fault::graphql(Kind::Error(error.clone())).of("getEndUserState"));
        until(&format!("{error:?} counted\n{}", exporter.log()), || async {
            (exporter.metrics().await.get(series)? > before).then_some(())
        })
        .await;
        simulator.faults().clear();
        until_asked(&simulator, "getEndUserState", 2).await;
    }
    exporter.until_metric(&up("users"), 1.0).await;
}

/// What passes is tried again within the run.
#[tokio::test]
async fn a_resolver_that_timed_out_is_asked_again() {
    let simulator = tenant().await;
    let fault = Fault::graphql(Kind::Error(AppsyncError::timed_out()));
    simulator.faults().add(fault.of("getEndUserState").times(1));
    let exporter =
        Setup::new().polling(&simulator, NEVER).watch("users = [\"a@example.com\"]").start().await;
    let metrics = exporter.until_metric(&targets("users", "ok"), 1.0).await;
    assert_eq!(metrics.get(&up("users")), Some(1.0), "{}", exporter.log());
    assert!(simulator.faults().list().is_empty());
}

/// A1: neither a restart nor a reload makes a success of an outage.
#[tokio::test]
async fn an_outage_outlives_a_restart_and_a_reload() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &LOGINS).start().await;
    exporter.until_metric(&up("users"), 1.0).await;
    simulator.faults().add(Fault::graphql(Kind::Error(AppsyncError::timed_out())));
    let metrics = exporter.until_metric(&up("users"), 0.0).await;
    let before = last_success(&metrics, "users").unwrap();
    exporter.signal("HUP");
    until_logged(&exporter, "WARN", &["Task timed out"]).await;
    let exporter = exporter.stop().await.start().await;
    until_logged(&exporter, "WARN", &["Task timed out"]).await;
    let metrics = exporter.until_metric(&up("users"), 0.0).await;
    assert_eq!(last_success(&metrics, "users"), Some(before), "{}", exporter.log());
    simulator.faults().clear();
    let metrics = exporter.until_metric(&up("users"), 1.0).await;
    assert!(last_success(&metrics, "users") > Some(before));
}

/// Very many errors beside the data are no outage, and are bounded.
#[tokio::test]
async fn very_many_errors_beside_the_data_cost_nothing_and_are_bounded() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &LOGINS).start().await;
    exporter.until_metric(&targets("users", "ok"), 4.0).await;
    let many = Fault::graphql(Kind::ManyErrors(20_000)).of("getEndUserState");
    simulator.faults().add(many.about("a@example.com"));
    until_asked(&simulator, "getEndUserState", 8).await;
    // The data beside the errors counts.
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&targets("users", "ok")), Some(4.0), "{}", exporter.log());
    assert_eq!(metrics.get(&up("users")), Some(1.0));
    let (status, user) = exporter.api("GET", "/users/a@example.com", None).await;
    assert_eq!(status, 200);
    assert!(user.to_string().len() < 200_000, "{} bytes", user.to_string().len());
}
