//! The two action cards as commands, and a user's history.

use cii_simulator::{
    Fault, Kind, Options, Simulator,
    tenant::{IpAddress, User},
};

use crate::harness::{Setup, until};

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
    let table = setup.run(&["user", ZOE]).await;
    assert!(table.output.contains("203.0.113.99"), "{table:?}");
    assert!(!table.output.contains('\u{1b}'), "an escape reaches the terminal: {table:?}");

    let unknown = setup.run(&["user", "nobody@example.com", "--json"]).await;
    assert_eq!(unknown.code, 1);
    assert_eq!(unknown.json()["errors"][0]["errorType"], "NotFound");
    simulator.faults().add(Fault::graphql(Kind::Status(502, None)));
    let down = setup.run(&["user", ZOE]).await;
    assert!(down.code == 1 && down.output.contains("502"), "{down:?}");
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
