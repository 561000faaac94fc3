//! The OTLP record of each kind of event.

use std::{collections::BTreeSet, fmt::Write as _};

use cii_exporter::domain::EventName;
use cii_simulator::{
    Fault, Kind, Options, Simulator,
    tenant::{IpAddress, Location, User},
    vocabulary::ActivityResultType,
};
use serde_json::{Value, json};
use strum::VariantArray as _;

use super::holds;
use crate::harness::{Body, Protocol, Receiver, Setup, attribute, until};

const EVERY_SECOND: &str = "* * * * * *";
const ZOE: &str = "zoe@example.com";
const ADAM: &str = "adam@example.com";
const VISITOR: &str = "visitor@example.com";
const PLACE: &str = "203.0.113.99";

fn user(login: &str, name: &str) -> User {
    let id = format!("id-of-{login}");
    let addresses = vec![IpAddress::new(PLACE)];
    User { id, ip_addresses: addresses, ..User::new(login, name) }
}

fn at(address: &str, city: &str, state: &str, country: &str) -> IpAddress {
    IpAddress::new(address).at(Location::new(city, state, country))
}

/// A tenant with one user of whom everything is known.
async fn tenant() -> Simulator {
    let simulator = Simulator::start(Options { users: 0, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        tenant.failing_checks_by_title = true;
        let mut zoe = user(ZOE, "Zoe Example");
        zoe.ip_addresses.push(at("198.51.100.1", "Brno", "South Moravia", "CZ"));
        zoe.unused_applications = vec!["Jira".to_owned()];
        zoe.used_applications = vec!["Slack".to_owned()];
        zoe.used_factors = vec!["PUSH".to_owned()];
        zoe.registered_location = Some(Location::new("Brno", "South Moravia", "CZ"));
        tenant.add_user(zoe);
        tenant.add_user(User { ip_addresses: Vec::new(), ..user(ADAM, "Adam") });
        tenant.admins = vec![ADAM.to_owned()];
    });
    simulator
}

/// Changes everything that is watched.
fn change(simulator: &Simulator) {
    simulator.tenant(|tenant| {
        let zoe = tenant.user_mut(ZOE).unwrap();
        zoe.ip_addresses[1] = at("2001:DB8:0:0::7", "Oslo", "Oslo", "NO");
        zoe.unused_applications = vec!["Slack".to_owned()];
        zoe.used_applications = vec!["Jira".to_owned()];
        zoe.used_factors = vec!["TOTP".to_owned()];
        zoe.status_text = Some("SUSPENDED".to_owned());
        zoe.registered_location = Some(Location::new("Oslo", "Oslo", "NO"));
        tenant.add_user(user(VISITOR, "Visitor"));
        tenant.admins.push(ZOE.to_owned());
        tenant.integrations[0].status = ActivityResultType::Failure;
        tenant.integrations[0].error = Some("the token expired".to_owned());
        assert!(tenant.set_failing(ZOE, "mfa-flood", true));
    });
}

/// Waits until there is a record of each of these names.
async fn until_sent(receiver: &Receiver, names: &[&str]) {
    let sent = || {
        let received = receiver.received();
        let names = received.iter().filter_map(|line| line["record"]["eventName"].as_str());
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    until(&format!("records of {names:?}, beside {:?}", sent()), || async {
        let sent = sent();
        names.iter().all(|name| sent.contains(*name)).then_some(())
    })
    .await;
}

/// A value as OTLP has it, in one line.
fn value(value: &Value) -> String {
    let (kind, content) = value.as_object().and_then(|one| one.iter().next()).unwrap();
    match kind.as_str() {
        "arrayValue" => {
            let values = content["values"].as_array().into_iter().flatten();
            format!("[{}]", values.map(self::value).collect::<Vec<_>>().join(", "))
        }
        // JSON of protobuf has 64 bits in a text.
        "intValue" => content.as_str().unwrap_or_default().to_owned(),
        _ => content.to_string(),
    }
}

/// A record: its name, severity, body and attributes.
fn described(line: &Value) -> String {
    let record = &line["record"];
    let text = |field: &str| record[field].as_str().unwrap_or_default();
    let mut described = format!(
        "{}\n  severity: {} {:?}\n  body: {}\n",
        text("eventName"),
        record["severityNumber"],
        text("severityText"),
        value(&record["body"]),
    );
    for attribute in record["attributes"].as_array().into_iter().flatten() {
        let key = attribute["key"].as_str().unwrap_or_default();
        let _ = writeln!(described, "  {key} = {}", value(&attribute["value"]));
    }
    described
}

#[tokio::test]
async fn each_kind_of_event_is_sent_as_it_was() {
    let simulator = tenant().await;
    let receiver = Receiver::start().await;
    let exporter = Setup::new()
        .in_file()
        .polling(&simulator, EVERY_SECOND)
        .api("retries = 0")
        .watch(&format!("users = [{ZOE:?}]\nips = [{PLACE:?}]"))
        .tables("[sync.service]\nschedule = \"* * * * * *\"")
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    for job in ["users", "ips", "service"] {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{job}\"}}"), 1.0).await;
    }
    exporter.until_metric(&format!("cii_ip_users{{ip=\"{PLACE}\"}}"), 1.0).await;
    change(&simulator);
    let changed = [
        "cii.admin.added",
        "cii.check.failed",
        "cii.integration.status.changed",
        "cii.ip.user.new",
        "cii.user.application.unused",
        "cii.user.application.used",
        "cii.user.country.new",
        "cii.user.factors.changed",
        "cii.user.ip.gone",
        "cii.user.ip.new",
        "cii.user.location.changed",
        "cii.user.status.changed",
    ];
    until_sent(&receiver, &changed).await;
    // What answers called by a title alone is this check.
    let title = simulator.tenant(|tenant| tenant.check("mfa-flood").unwrap().title.clone());
    let mut delivery = Body::new("1", "mfa-flood", &[ZOE]).json();
    delivery["detail"]["title"] = title.into();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    let test = json!({ "id": "2", "detail-type": "WEBHOOK_TEST", "time": "2026-01-02T03:04:05Z" });
    assert_eq!(exporter.deliver(&test).await, 200);
    simulator.tenant(|tenant| {
        assert!(tenant.set_failing(ZOE, "mfa-flood", false));
        tenant.remove_user(VISITOR);
        tenant.admins.pop();
    });
    let ended = [
        "cii.admin.removed",
        "cii.check.delivery",
        "cii.check.identified",
        "cii.check.resolved",
        "cii.ip.user.gone",
        "cii.webhook.test",
    ];
    until_sent(&receiver, &ended).await;
    // A failure that a delivery tells first.
    assert_eq!(exporter.deliver(&Body::new("3", "no-mfa", &[ADAM]).json()).await, 200);
    let told = |line: &Value| {
        line["record"]["eventName"] == "cii.check.failed"
            && attribute(line, "cii.delivery.id").is_some()
    };
    until("the failure that a delivery tells", || async {
        receiver.received().iter().any(told).then_some(())
    })
    .await;
    let broken = Kind::RootError("ValidationError".to_owned());
    simulator.faults().add(Fault::graphql(broken).of("getEndUser"));
    until_sent(&receiver, &["cii.poll.outcome.changed", "cii.sync.outcome.changed"]).await;

    let received = receiver.received();
    let names: BTreeSet<_> =
        received.iter().filter_map(|line| line["record"]["eventName"].as_str()).collect();
    let all: BTreeSet<_> = EventName::VARIANTS
        .iter()
        .filter(|name| name.is_public())
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, all, "a record of each kind");
    // The first of each: a job can fail once more before it is looked at.
    let first = |name: &&str| received.iter().find(|line| line["record"]["eventName"] == **name);
    let by_delivery = received.iter().find(|line| told(line));
    let described: Vec<_> =
        names.iter().filter_map(first).chain(by_delivery).map(described).collect();
    let redacted = [(r"failed_for_seconds = \d+", "failed_for_seconds = [seconds]")];
    holds("records", &described.join("\n"), &redacted);
}
