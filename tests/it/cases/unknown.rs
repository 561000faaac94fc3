//! "This user does not exist", and texts that only look like it.

use chrono::TimeDelta;
use cii_simulator::{AppsyncError, Fault, Kind, Simulator, tenant::User};

use super::{failing, simulator, targets, until_asked, watching};
use crate::harness::{Body, Exporter, until};

const A: &str = "a@example.com";
const B: &str = "b@example.com";

/// Errors that say "not found" of something else than a user.
fn of_something_else() -> [AppsyncError; 5] {
    [
        AppsyncError::name_not_resolved(),
        AppsyncError::table_not_found(),
        AppsyncError::new("Lambda:Unhandled", "Cannot find module: index.handler not found"),
        AppsyncError::new("Lambda:Unhandled", "404 page not found"),
        AppsyncError::new("ResourceNotFoundException", "Function not found: resolve-end-user"),
    ]
}

/// Two users of whom one fails a check, as a delivery said and the service says.
async fn failing_one() -> (Simulator, Exporter) {
    let simulator = simulator(2).await;
    simulator.tenant(|tenant| {
        for login in [A, B] {
            tenant.add_user(User::new(login, "Somebody"));
            tenant.set_failing(login, "no-mfa", true);
        }
    });
    let exporter = watching(&simulator, &[A, B]).start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[A, B]).json()).await, 200);
    exporter.until_metric(&targets("users", "ok"), 2.0).await;
    (simulator, exporter)
}

/// For longer than whoever is unknown is given.
const A_DAY: TimeDelta = TimeDelta::hours(25);

/// A2.
#[tokio::test]
async fn an_outage_that_says_not_found_ends_no_failure_not_even_a_day_later() {
    let (simulator, exporter) = failing_one().await;
    for error in of_something_else() {
        simulator.faults().add(Fault::graphql(Kind::Error(error.clone())));
        exporter.until_metric(&targets("users", "failed"), 2.0).await;
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get(&targets("users", "not_found")), Some(0.0), "{error:?}");
        simulator.faults().clear();
        exporter.until_metric(&targets("users", "ok"), 2.0).await;
    }
    let not_resolved = Kind::Error(AppsyncError::name_not_resolved());
    simulator.faults().add(Fault::graphql(not_resolved));
    exporter.until_metric(&targets("users", "failed"), 2.0).await;
    let exporter = exporter.stop().await.ahead(A_DAY).start().await;
    exporter.until_metric(&targets("users", "failed"), 2.0).await;
    until_asked(&simulator, "getEndUser", 2).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0, "{}", exporter.log());
}

/// A2, the other way round: a user who really is unknown for a day no longer fails.
#[tokio::test]
async fn a_user_who_is_unknown_for_a_day_no_longer_fails_in_any_wording() {
    for (error_type, message) in [
        ("NotFound", "the user is not found"),
        ("Lambda:Unhandled", "User not found"),
        ("Lambda:Unhandled", "No end user exists for login a@example.com"),
        ("EndUserNotFoundException", ""),
    ] {
        let (simulator, exporter) = failing_one().await;
        simulator.faults().add(Fault::graphql(Kind::unknown_login(error_type, message)));
        simulator.tenant(|tenant| tenant.remove_user(A));
        exporter.until_metric(&targets("users", "not_found"), 1.0).await;
        assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0, "{message}");
        let exporter = exporter.stop().await.ahead(A_DAY).start().await;
        until(&format!("the end of a failure\n{}", exporter.log()), || async {
            (failing(&exporter.metrics().await, "no-mfa") == 1.0).then_some(())
        })
        .await;
        let resolved = super::events(&exporter, "cii.check.resolved").await;
        assert_eq!(resolved[0]["attributes"]["cii.check.resolution"], "user_unknown");
    }
}

/// A2 for addresses: an address that the service does not know once is no empty address.
#[tokio::test]
async fn an_address_that_is_not_found_once_keeps_its_users() {
    let simulator = simulator(10).await;
    let ip = simulator.tenant(|tenant| tenant.busiest_addresses()[0].clone());
    let exporter = crate::harness::Setup::new()
        .polling(&simulator, super::EVERY_SECOND)
        .api("retries = 0")
        .watch(&format!("ips = [\"{}\"]", ip.0))
        .start()
        .await;
    let users = f64::from(u32::try_from(ip.1).unwrap());
    let series = format!("cii_ip_users{{ip=\"{}\"}}", ip.0);
    exporter.until_metric(&series, users).await;
    let unknown = Kind::Error(AppsyncError::new("NotFound", "the address is not found"));
    simulator.faults().add(Fault::graphql(unknown).of("getEndUsersByIp"));
    exporter.until_metric(&targets("ips", "not_found"), 1.0).await;
    until_asked(&simulator, "getEndUsersByIp", 2).await;
    assert_eq!(exporter.metrics().await.get(&series), Some(users));
    assert!(super::events(&exporter, "cii.ip.user.gone").await.is_empty());
}

/// A2: whoever is unknown in a batch costs the others nothing, in both of GraphQL's ways.
#[tokio::test]
async fn an_unknown_user_costs_the_others_of_the_batch_nothing() {
    for strict in [false, true] {
        let simulator = simulator(2).await;
        simulator.tenant(|tenant| {
            for login in [A, B, "c@example.com"] {
                tenant.add_user(User::new(login, "Somebody"));
            }
        });
        let error = AppsyncError::new("Lambda:Unhandled", "User b@example.com does not exist");
        let error = AppsyncError { strict, ..error };
        simulator.faults().add(Fault::graphql(Kind::Error(error)).about(B));
        let exporter = watching(&simulator, &[A, B, "c@example.com"]).start().await;
        let metrics = exporter.until_metric(&targets("users", "not_found"), 1.0).await;
        assert_eq!(metrics.get(&targets("users", "ok")), Some(2.0), "{}", exporter.log());
        assert_eq!(metrics.get(&super::up("users")), Some(1.0));
        assert_eq!(metrics.series("cii_user_ip_addresses").len(), 2);
    }
}
