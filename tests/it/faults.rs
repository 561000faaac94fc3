//! Every fault of the service, in every question that is asked of it.

use cii_simulator::{Fault, Kind, Options, Simulator};

use crate::harness::{Exporter, Setup, until};

const TABLES: &str = "[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"\n\
    [sync.service]\nschedule = \"* * * * * *\"";

fn faults() -> Vec<Kind> {
    vec![
        Kind::Status(429, Some(1)),
        Kind::Status(503, None),
        Kind::Status(400, None),
        Kind::Cut,
        Kind::MalformedJson,
        Kind::EmptyBody,
        Kind::HtmlPage,
        Kind::RootError("ThrottlingException".to_owned()),
        Kind::RootError("Forbidden".to_owned()),
    ]
}

async fn until_all_is_well(exporter: &Exporter, after: &str) {
    until(&format!("all jobs succeeding after {after}\n{}", exporter.log()), || async {
        let metrics = exporter.metrics().await;
        let up = metrics.series("cii_sync_up");
        let polls = metrics.series("cii_user_poll_up");
        let is_well = up.len() == 4
            && up.iter().chain(&polls).all(|(_, up)| *up == 1.0)
            && metrics.get("cii_api_circuit_open") == Some(0.0);
        is_well.then_some(())
    })
    .await;
}

/// A daemon that runs all jobs every second against a tenant that stays as it is.
async fn running() -> (Simulator, Exporter) {
    let simulator = Simulator::start(Options { users: 12, ..Options::default() }).await.unwrap();
    let logins = simulator.tenant(|tenant| tenant.logins());
    let ip = simulator.tenant(|tenant| tenant.busiest_addresses()[0].0.clone());
    let watch = format!("users = {logins:?}\nips = [\"{ip}\"]");
    let setup = Setup::new().polling(&simulator, "* * * * * *").watch(&watch).tables(TABLES);
    let exporter = setup.start().await;
    until_all_is_well(&exporter, "the start").await;
    (simulator, exporter)
}

/// What does not depend on the moment of the last look.
fn lasting(text: &str) -> Vec<&str> {
    let passing = ["timestamp", "days_since", "poll_up"];
    text.lines()
        .filter(|line| {
            line.starts_with("cii_check")
                || line.starts_with("cii_user")
                || line.starts_with("cii_ip")
                || line.starts_with("cii_tenant")
                || line.starts_with("cii_admin")
                || line.starts_with("cii_integration")
        })
        .filter(|line| !passing.iter().any(|word| line.contains(word)))
        .collect()
}

async fn survives(operations: &[&str]) {
    let (simulator, exporter) = running().await;
    let before = exporter.metrics().await.text;
    for operation in operations {
        for kind in faults() {
            let what = format!("{kind:?} of {operation}");
            simulator.faults().add(Fault::graphql(kind).of(operation).times(2));
            until(&what, || async { simulator.faults().list().is_empty().then_some(()) }).await;
            until_all_is_well(&exporter, &what).await;
        }
    }
    let after = exporter.metrics().await.text;
    assert_eq!(lasting(&after), lasting(&before));
}

#[tokio::test]
async fn whatever_breaks_about_users_the_numbers_stay_and_all_goes_on() {
    survives(&["getEndUserState", "getEndUser"]).await;
}

#[tokio::test]
async fn whatever_breaks_about_addresses_and_the_tenant_the_numbers_stay_and_all_goes_on() {
    survives(&["getEndUsersByIp", "listEndUsers"]).await;
}

#[tokio::test]
async fn whatever_breaks_about_the_service_itself_the_numbers_stay_and_all_goes_on() {
    survives(&["getIntegrationsStatus", "listAdminLogins"]).await;
}

#[tokio::test]
async fn a_token_endpoint_that_fails_while_tokens_are_refused_is_survived() {
    let (simulator, exporter) = running().await;
    let before = exporter.metrics().await.text;
    for kind in [
        Kind::Status(500, None),
        Kind::Status(401, None),
        Kind::Cut,
        Kind::MalformedJson,
        Kind::EmptyBody,
    ] {
        let what = format!("{kind:?} of the token endpoint");
        simulator.faults().add(Fault::token(kind).times(2));
        simulator.revoke_tokens();
        until(&what, || async { simulator.faults().list().is_empty().then_some(()) }).await;
        until_all_is_well(&exporter, &what).await;
    }
    assert_eq!(lasting(&exporter.metrics().await.text), lasting(&before));
}
