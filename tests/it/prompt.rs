//! Whom a delivery names, and who is newly watched, is asked about without waiting for
//! the schedule.

use cii_simulator::{Fault, Kind, Options, Simulator, tenant::User};

use crate::harness::{Body, Setup, until};

/// Only the run at the start: no schedule rings in these tests.
const NEVER: &str = "0 0 0 1 1 *";

async fn tenant() -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    for login in ["new@example.com", "old@example.com"] {
        simulator.tenant(|tenant| tenant.add_user(User::new(login, "U")));
    }
    let setup = Setup::new().polling(&simulator, NEVER);
    (simulator, setup)
}

#[tokio::test]
async fn users_named_by_a_delivery_are_asked_about_within_a_minute_and_keep_failing() {
    let (_simulator, setup) = tenant().await;
    let setup = setup.tables("[metrics]\nuser_series = \"all\"");
    let exporter = setup.variable("CII_EXPORTER_SYNC__SETTLE", "15m").start().await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    let mut delivery = Body::new("1", "no-mfa", &["new@example.com"]).json();
    delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    // Longer than the wait after a delivery, and less than a minute.
    exporter.until_metric("cii_user_new_ips_total{login=\"new@example.com\"}", 0.0).await;
    exporter.until_metric("cii_user_poll_up{login=\"new@example.com\"}", 1.0).await;
    // The answer does not list the failure: it may lag behind the webhook.
    let labels = "{check_id=\"no-mfa\",severity=\"high\"}";
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&format!("cii_check_failing_users{labels}")), Some(1.0));
}

#[tokio::test]
async fn what_is_newly_watched_is_asked_about_at_once() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    let added = exporter.run(&["watch", "add", "user", "old@example.com"]).await;
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.output.contains("the daemon asks about it at once"), "{added:?}");
    exporter.until_metric("cii_user_poll_up{login=\"old@example.com\"}", 1.0).await;
    let ip = simulator.tenant(|tenant| tenant.busiest_addresses()[0].0.clone());
    assert_eq!(exporter.run(&["watch", "add", "ip", &ip]).await.code, 0);
    until("the address", || async {
        (exporter.metrics().await.series("cii_ip_poll_up").len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_adds_to_the_watch_list_is_told_when_it_is_asked_about() {
    // Nothing can be asked without an API.
    let without_api = Setup::new();
    let said = without_api.run(&["watch", "add", "user", "a@example.com"]).await.output;
    assert!(said.contains("the configuration has no [api]"), "{said}");
    let exporter = without_api.start().await;
    let said = exporter.run(&["watch", "add", "user", "b@example.com"]).await.output;
    assert!(said.contains("the configuration has no [api]"), "{said}");
    exporter.stop().await;

    let (simulator, setup) = tenant().await;
    let said = setup.run(&["watch", "add", "user", "new@example.com"]).await.output;
    assert!(said.contains("no daemon runs: it is asked about once one does"), "{said}");
    // A service that is down.
    simulator.faults().add(Fault::graphql(Kind::Status(503, None)));
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 0.0).await;
    let said = exporter.run(&["watch", "add", "user", "old@example.com"]).await.output;
    assert!(said.contains("the service did not answer as it should last time"), "{said}");
    assert!(said.contains("it is asked about once it does") && !said.contains("at once"), "{said}");
    exporter.stop().await;
}
