//! What comes back is not new, a new country is, and nothing shown grows old unseen.

use chrono::TimeDelta;
use cii_simulator::{
    Simulator,
    tenant::{IpAddress, Location, User},
    vocabulary::ActivityResultType,
};
use serde_json::{Value, json};

use super::{EVERY_SECOND, NEVER, events, simulator, until_asked, watching};
use crate::harness::{Body, Exporter, Setup, until};

const ANN: &str = "ann@example.com";

fn of_ann(family: &str) -> String {
    format!("{family}{{login=\"{ANN}\"}}")
}

fn at(address: &str, country: &str) -> IpAddress {
    let location = Location { country: Some(country.to_owned()), ..Location::default() };
    IpAddress::new(address).at(location)
}

fn set_addresses(simulator: &Simulator, addresses: Vec<IpAddress>) {
    simulator.tenant(|tenant| tenant.user_mut(ANN).unwrap().ip_addresses = addresses);
}

/// A tenant with Ann, who has two addresses in one country.
async fn with_ann() -> Simulator {
    let simulator = simulator(3).await;
    simulator.tenant(|tenant| tenant.add_user(User::new(ANN, "Ann")));
    set_addresses(&simulator, vec![at("192.0.2.1", "DE"), at("192.0.2.2", "DE")]);
    simulator
}

async fn until_events(exporter: &Exporter, name: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} of {name}"), || async {
        let found = events(exporter, name).await;
        (found.len() == count).then_some(found)
    })
    .await
}

/// A8: a true `[]`, and a return within the retention, also after a restart.
#[tokio::test]
async fn addresses_that_come_back_are_not_new() {
    let simulator = with_ann().await;
    let exporter = watching(&simulator, &[ANN]).start().await;
    exporter.until_metric(&of_ann("cii_user_ip_addresses"), 2.0).await;
    set_addresses(&simulator, Vec::new());
    exporter.until_metric(&of_ann("cii_user_ip_addresses"), 0.0).await;
    until_events(&exporter, "cii.user.ip.gone", 2).await;
    let exporter = exporter.kill().await.start().await;
    // One is new, and its country with it.
    let back = vec![at("192.0.2.1", "DE"), at("192.0.2.2", "DE"), at("192.0.2.3", "NO")];
    set_addresses(&simulator, back);
    let metrics = exporter.until_metric(&of_ann("cii_user_ip_addresses"), 3.0).await;
    assert_eq!(metrics.get(&of_ann("cii_user_new_ips_total")), Some(1.0));
    assert_eq!(metrics.get("cii_new_ips_total"), Some(1.0));
    assert_eq!(metrics.get("cii_new_countries_total"), Some(1.0));
    let new = events(&exporter, "cii.user.ip.new").await;
    assert_eq!(new.len(), 1, "{new:?}");
    assert_eq!(new[0]["attributes"]["client.address"], "192.0.2.3");
    assert_eq!(events(&exporter, "cii.user.country.new").await.len(), 1);
}

#[tokio::test]
async fn a_new_country_is_an_event_of_its_own() {
    let simulator = with_ann().await;
    let exporter = watching(&simulator, &[ANN]).start().await;
    let metrics = exporter.until_metric(&of_ann("cii_user_ip_addresses"), 2.0).await;
    let last = of_ann("cii_user_last_new_country_timestamp_seconds");
    assert_eq!(metrics.get(&last), None, "the first snapshot is the baseline");
    let more = |addresses: &[IpAddress]| {
        let known = [at("192.0.2.1", "DE"), at("192.0.2.2", "DE")];
        set_addresses(&simulator, known.iter().chain(addresses).cloned().collect());
    };
    more(&[at("192.0.2.3", "de")]);
    exporter.until_metric(&of_ann("cii_user_new_ips_total"), 1.0).await;
    assert!(events(&exporter, "cii.user.country.new").await.is_empty());
    more(&[at("192.0.2.3", "DE"), at("192.0.2.4", "NO"), at("192.0.2.5", "NO")]);
    let found = until_events(&exporter, "cii.user.country.new", 1).await;
    assert_eq!(found[0]["attributes"]["geo.country.iso_code"], "NO");
    assert_eq!(found[0]["login"], ANN);
    assert!(exporter.metrics().await.get(&last).is_some());
    let (_, user) = exporter.api("GET", &format!("/users/{ANN}"), None).await;
    assert!(user["snapshot"]["last_new_country_at"].is_string(), "{user}");
    // Gone and back: no news.
    more(&[]);
    exporter.until_metric(&of_ann("cii_user_ip_addresses"), 2.0).await;
    more(&[at("192.0.2.6", "NO")]);
    exporter.until_metric(&of_ann("cii_user_new_ips_total"), 4.0).await;
    assert_eq!(exporter.metrics().await.get("cii_new_countries_total"), Some(1.0));
}

/// O4, and a user who comes back to an address.
#[tokio::test]
async fn since_when_a_user_is_at_an_address_survives_the_retention() {
    let simulator = with_ann().await;
    let exporter = Setup::new()
        .polling(&simulator, EVERY_SECOND)
        .watch("ips = [\"192.0.2.1\"]")
        .variable("CII_EXPORTER_STORE__EVENT_RETENTION_DAYS", "1")
        .start()
        .await;
    exporter.until_metric("cii_ip_users{ip=\"192.0.2.1\"}", 1.0).await;
    let add = || {
        simulator.tenant(|tenant| {
            let mut user = User::new("bob@example.com", "Bob");
            user.ip_addresses = vec![IpAddress::new("192.0.2.1")];
            tenant.add_user(user);
        });
    };
    add();
    exporter.until_metric("cii_ip_new_users_total{ip=\"192.0.2.1\"}", 1.0).await;
    let users = async |exporter: &Exporter| {
        let (_, ip) = exporter.api("GET", "/ips/192.0.2.1", None).await;
        ip["snapshot"]["users"].clone()
    };
    let before = users(&exporter).await;
    assert_ne!(before[0]["since"], before[1]["since"], "{before}");
    // The newest event is never too old.
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ANN]).json()).await, 200);
    let exporter = exporter.stop().await.ahead(TimeDelta::days(2)).start().await;
    until("nothing in the log of how bob came", || async {
        events(&exporter, "cii.ip.user.new").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(users(&exporter).await, before);
    simulator.tenant(|tenant| tenant.remove_user("bob@example.com"));
    exporter.until_metric("cii_ip_users{ip=\"192.0.2.1\"}", 1.0).await;
    add();
    let metrics = exporter.until_metric("cii_ip_users{ip=\"192.0.2.1\"}", 2.0).await;
    assert_eq!(metrics.get("cii_ip_new_users_total{ip=\"192.0.2.1\"}"), Some(1.0));
}

#[tokio::test]
async fn how_old_numbers_are_is_shown_and_moves_with_each_answer() {
    let simulator = with_ann().await;
    let watch = format!("users = [\"{ANN}\"]\nips = [\"192.0.2.1\"]");
    let exporter = Setup::new().polling(&simulator, EVERY_SECOND).watch(&watch).start().await;
    for series in [
        of_ann("cii_user_observed_timestamp_seconds"),
        "cii_ip_observed_timestamp_seconds{ip=\"192.0.2.1\"}".to_owned(),
    ] {
        let first = until(&series, || async { exporter.metrics().await.get(&series) }).await;
        until("a later answer that says the same", || async {
            exporter.metrics().await.get(&series).filter(|at| *at > first)
        })
        .await;
    }
    until_asked(&simulator, "getEndUserState", 1).await;
    let (_, page) = exporter.get(&format!("/users/{ANN}")).await;
    assert!(page.contains("Observed"), "{page}");
}

#[tokio::test]
async fn an_activity_that_began_keeps_the_result_of_the_last_one() {
    let simulator = simulator(3).await;
    let table = "[sync.service]\nschedule = \"* * * * * *\"";
    let exporter = Setup::new().polling(&simulator, NEVER).tables(table).start().await;
    let up = |status: &str| {
        format!(
            "cii_integration_up{{integration_id=\"okta-1\",integration=\"Okta\",status=\"{status}\"}}"
        )
    };
    exporter.until_metric(&up("success"), 1.0).await;
    let set = |status| simulator.tenant(|tenant| tenant.integrations[0].status = status);
    set(ActivityResultType::Failure);
    exporter.until_metric(&up("failure"), 0.0).await;
    set(ActivityResultType::Started);
    until_asked(&simulator, "getIntegrationsStatus", 3).await;
    let metrics = exporter.metrics().await;
    assert_eq!((metrics.get(&up("failure")), metrics.get(&up("started"))), (Some(0.0), None));
    set(ActivityResultType::Success);
    exporter.until_metric(&up("success"), 1.0).await;
    let changed = events(&exporter, "cii.integration.status.changed").await;
    let statuses: Vec<_> =
        changed.iter().map(|event| event["attributes"]["cii.integration.status"].clone()).collect();
    assert_eq!(statuses, [json!("failure"), json!("success")]);
}
