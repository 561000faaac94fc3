//! The service's own health: integrations, administrators, daily counts.

use cii_simulator::{Fault, Kind, Options, Simulator, vocabulary::ActivityResultType};

use crate::harness::{Protocol, Receiver, Setup, attribute};

const TABLE: &str = "[sync.service]\nschedule = \"* * * * * *\"";

#[tokio::test]
async fn integrations_and_administrators_are_shown_and_their_changes_are_events() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let receiver = Receiver::start().await;
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(TABLE);
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    let okta = |status: &str| {
        format!(
            "cii_integration_up{{integration_id=\"okta-1\",integration=\"Okta\",status=\"{status}\"}}"
        )
    };
    exporter.until_metric(&okta("success"), 1.0).await;
    let metrics = exporter.until_metric("cii_admins", 3.0).await;
    let total = simulator.tenant(|tenant| tenant.daily_failing.last().unwrap().1);
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let total = total as f64;
    assert_eq!(metrics.get("cii_tenant_daily_check_failures"), Some(total));
    assert_eq!(metrics.series("cii_admins_inactive").len(), 2);
    assert_eq!(metrics.series("cii_integration_last_status_timestamp_seconds").len(), 2);

    simulator.tenant(|tenant| {
        tenant.integrations[0].status = ActivityResultType::Failure;
        tenant.integrations[0].error = Some("the token expired".to_owned());
        let newest = tenant.logins().last().unwrap().clone();
        tenant.admins.push(newest);
    });
    let metrics = exporter.until_metric(&okta("failure"), 0.0).await;
    assert_eq!(metrics.get(&okta("success")), None);
    let received = receiver.until_received(2).await;
    let event =
        |name: &str| received.iter().find(|record| record["record"]["eventName"] == name).unwrap();
    let changed = event("cii.integration.status.changed");
    assert_eq!(attribute(changed, "cii.integration.status").unwrap(), "failure");
    assert!(attribute(event("cii.admin.added"), "user.name").is_some());
}

#[tokio::test]
async fn what_the_service_does_not_offer_is_tolerated() {
    let simulator = Simulator::start(Options { users: 10, ..Options::default() }).await.unwrap();
    let fault = Kind::RootError("ValidationError".to_owned());
    simulator.faults().add(Fault::graphql(fault).of("getTotalCheckFailingCounts"));
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(TABLE);
    let exporter = setup.start().await;
    let metrics = exporter.until_metric("cii_sync_up{task=\"service\"}", 1.0).await;
    assert_eq!(metrics.get("cii_tenant_daily_check_failures"), None);
    assert_eq!(metrics.get("cii_sync_targets{result=\"failed\",task=\"service\"}"), Some(0.0));
}
