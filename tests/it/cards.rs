//! The two action cards as commands, and a user's history.

use cii_simulator::{
    Fault, Kind, Options, Simulator,
    tenant::{IpAddress, Location, User, WorkingLocation},
};
use serde_json::Value;

use crate::harness::{Body, Setup, until};

const ZOE: &str = "zoe@example.com";

async fn tenant() -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let mut zoe = User::new(ZOE, "Zoe \u{1b}[31mExample");
        zoe.ip_addresses = vec![IpAddress::new("203.0.113.99")];
        zoe.employee_ids = vec!["4711".to_owned()];
        tenant.add_user(zoe);
    });
    let setup =
        Setup::new().polling(&simulator, "* * * * * *").watch(&format!("users = [\"{ZOE}\"]"));
    (simulator, setup)
}

#[tokio::test]
async fn a_user_s_card_has_status_code_object_and_errors() {
    let (simulator, setup) = tenant().await;
    let card = setup.run(&["user", ZOE, "--json"]).await;
    assert_eq!(card.code, 0, "{card:?}");
    let card = card.json();
    assert_eq!((&card["statusCode"], card["errors"].as_array().unwrap().len()), (&200.into(), 0));
    assert_eq!(card["data"]["login"], ZOE);
    assert_eq!(card["data"]["employeeId"][0], "4711");
    assert!(card["failingChecks"].is_array(), "{card}");
    let table = setup.run(&["user", ZOE]).await;
    assert!(table.output.contains("203.0.113.99"), "{table:?}");
    assert!(!table.output.contains('\u{1b}'), "an escape reaches the terminal: {table:?}");
    assert!(table.output.contains("failingChecks"), "{table:?}");

    let unknown = setup.run(&["user", "nobody@example.com", "--json"]).await;
    assert_eq!(unknown.code, 1);
    let unknown = unknown.json();
    assert_eq!(unknown["errors"][0]["errorType"], "NotFound");
    assert_eq!(
        (unknown["errors"].as_array().unwrap().len(), &unknown["failingChecks"]),
        (1, &Value::Null)
    );
    let table = setup.run(&["user", "nobody@example.com"]).await;
    for field in ["path", "errorType", "message", "errorInfo", "data"] {
        assert!(table.output.contains(field), "{field}: {table:?}");
    }
    simulator.faults().add(Fault::graphql(Kind::Status(502, None)));
    let down = setup.run(&["user", ZOE]).await;
    assert!(down.code == 1 && down.output.contains("502"), "{down:?}");
    // A page of a proxy comes with the status 200.
    simulator.faults().clear();
    simulator.faults().add(Fault::graphql(Kind::HtmlPage));
    for card in [["user", ZOE], ["ip", "203.0.113.99"]] {
        let none = setup.run(&card).await;
        assert!(none.code == 1 && none.output.contains("api.url"), "{none:?}");
    }
    let no_api = Setup::new().run(&["user", ZOE]).await;
    assert!(no_api.code == 64 && no_api.errors.contains("[api]"), "{no_api:?}");
}

#[tokio::test]
async fn an_address_s_card_lists_its_users_in_any_spelling() {
    let (_simulator, setup) = tenant().await;
    let card = setup.run(&["ip", "::ffff:203.0.113.99", "--json"]).await;
    assert_eq!((card.code, &card.json()["data"][0]["login"]), (0, &ZOE.into()), "{card:?}");
    assert!(setup.run(&["ip", "203.0.113.99"]).await.output.contains(ZOE));
    assert_eq!(setup.run(&["ip", "203.0.113.0/24"]).await.code, 64);
}

#[tokio::test]
async fn a_history_tells_what_changed_while_the_daemon_runs_and_after_it() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.start().await;
    exporter.until_metric(&format!("cii_user_ip_addresses{{login=\"{ZOE}\"}}"), 1.0).await;
    simulator.tenant(|tenant| {
        tenant.user_mut(ZOE).unwrap().ip_addresses.push(IpAddress::new("198.51.100.9"));
    });
    until("the change in the history", || async {
        let history = exporter.run(&["user", "--history", ZOE]).await;
        history.output.contains("cii.user.ip.new").then_some(())
    })
    .await;
    let setup = exporter.stop().await;
    let history = setup.run(&["user", "--history", ZOE, "--json"]).await.json();
    assert_eq!(history["events"][0]["attributes"]["client.address"], "198.51.100.9");
    let nobody = setup.run(&["user", "--history", "nobody"]).await;
    assert!(nobody.output.contains("Nothing"), "{nobody:?}");
}

#[tokio::test]
async fn a_history_has_the_sentence_of_each_event() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("d", "no-mfa", &[ZOE]).json()).await, 200);
    let history = exporter.run(&["user", "--history", ZOE, "--json"]).await.json();
    let events = history["events"].as_array().unwrap();
    assert_eq!(
        events[0]["body"], "zoe@example.com newly fails the check \"Title of no-mfa\"",
        "{history:#}"
    );
    assert!(events.iter().all(|event| event["body"].is_string()), "{history:#}");
}

#[tokio::test]
async fn every_field_of_the_user_card_is_kept_and_shown() {
    let (simulator, setup) = tenant().await;
    let brno = Location::new("Brno", "", "CZ");
    let oslo = Location::new("Oslo", "", "NO");
    let works = |location: &Location, prevalence| WorkingLocation {
        location: location.clone(),
        prevalence,
    };
    simulator.tenant(|tenant| {
        let zoe = tenant.user_mut(ZOE).unwrap();
        zoe.phone_number = Some("+49 30 1234".to_owned());
        zoe.working_locations = vec![works(&brno, 66.666)];
    });
    let exporter = setup.start().await;
    let path = format!("/users/{ZOE}");
    let snapshot = || async { exporter.api("GET", &path, None).await.1["snapshot"].clone() };
    let first = until("the snapshot", || async {
        let snapshot = snapshot().await;
        snapshot.is_object().then_some(snapshot)
    })
    .await;
    assert_eq!(
        (&first["employee_ids"][0], &first["phone_number"]),
        (&"4711".into(), &"+49 30 1234".into())
    );
    let working = &first["working_locations"][0];
    assert_eq!((&working["city"], &working["prevalence_percent"]), (&"Brno".into(), &66.67.into()));
    let (_, page) = exporter.get(&format!("/users/{ZOE}")).await;
    for shown in ["4711", "+49 30 1234", "66.7 %"] {
        assert!(page.contains(shown), "{shown}");
    }
    // How often alone is no event, but is followed; a place that comes is one.
    simulator.tenant(|tenant| {
        tenant.user_mut(ZOE).unwrap().working_locations = vec![works(&brno, 70.0)];
    });
    until("another prevalence", || async {
        (snapshot().await["working_locations"][0]["prevalence_percent"] == 70.0).then_some(())
    })
    .await;
    simulator.tenant(|tenant| {
        let locations = vec![works(&brno, 70.0), works(&oslo, 30.0)];
        tenant.user_mut(ZOE).unwrap().working_locations = locations;
    });
    let events = until("the place that came", || async {
        let history = exporter.run(&["user", "--history", ZOE, "--json"]).await.json();
        let changed = |event: &&Value| event["name"] == "cii.user.location.changed";
        let found: Vec<_> =
            history["events"].as_array().unwrap().iter().filter(changed).cloned().collect();
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(events.len(), 1, "{events:?}");
    let prevalence = &events[0]["attributes"]["cii.user.location.prevalence"][0];
    assert_eq!(prevalence, "Oslo, NO: 30.00");
}
