//! Answers that are hardly JSON, and answers without end.

use cii_simulator::{Fault, Kind, Simulator, tenant::User};

use super::{listed, listing, simulator, targets, until_asked, up, watching};

async fn ten() -> (Simulator, Vec<String>) {
    let simulator = simulator(0).await;
    let logins: Vec<String> = (0..10).map(|number| format!("u{number}@example.com")).collect();
    simulator.tenant(|tenant| {
        for login in &logins {
            let mut user = User::new(login, "Somebody");
            user.working_locations = vec![cii_simulator::tenant::WorkingLocation {
                location: cii_simulator::tenant::Location::new("Berlin", "Berlin", "DE"),
                prevalence: 99.5,
            }];
            tenant.add_user(user);
        }
    });
    (simulator, logins)
}

/// A7.
#[tokio::test]
async fn half_an_emoji_in_one_name_costs_nothing() {
    let (simulator, logins) = ten().await;
    let fault = Fault::graphql(Kind::LoneSurrogate("displayName".to_owned()));
    simulator.faults().add(fault.about("u3@example.com"));
    let users: Vec<&str> = logins.iter().map(String::as_str).collect();
    let exporter = watching(&simulator, &users).start().await;
    let metrics = exporter.until_metric(&targets("users", "ok"), 10.0).await;
    assert_eq!(metrics.series("cii_user_ip_addresses").len(), 10, "{}", exporter.log());
    let user = exporter.api("GET", "/users/u3@example.com", None).await.1;
    assert_eq!(user["snapshot"]["display_name"], "Somebody\u{fffd}");
}

/// A7 for the listing, the addresses and the administrators.
#[tokio::test]
async fn half_an_emoji_in_any_list_costs_nothing() {
    let simulator = simulator(20).await;
    simulator.faults().add(Fault::graphql(Kind::LoneSurrogate("displayName".to_owned())));
    simulator.faults().add(Fault::graphql(Kind::LoneSurrogate("integrationName".to_owned())));
    let exporter = listing(&simulator)
        .watch("users = [\"alice@example.com\"]\nips = [\"203.0.113.7\"]")
        .tables("[sync.service]\nschedule = \"* * * * * *\"")
        .start()
        .await;
    for job in ["tenant", "service", "users", "ips"] {
        exporter.until_metric(&up(job), 1.0).await;
    }
    let metrics = exporter.until_metric("cii_admins", 2.0).await;
    assert_eq!(listed(&metrics), 20.0);
    assert!(metrics.get("cii_ip_users{ip=\"203.0.113.7\"}") > Some(0.0));
}

/// A value that is no JSON costs its own subject, and is found by halving once.
#[tokio::test]
async fn a_number_that_is_none_costs_only_its_own_user() {
    let (simulator, logins) = ten().await;
    let fault = Fault::graphql(Kind::InvalidNumber("userLocationPrevalence".to_owned()));
    simulator.faults().add(fault.about("u3@example.com"));
    let users: Vec<&str> = logins.iter().map(String::as_str).collect();
    let exporter = watching(&simulator, &users).start().await;
    exporter.until_metric(&targets("users", "ok"), 9.0).await;
    exporter.until_metric(&targets("users", "failed"), 1.0).await;
    let metrics = exporter.until_metric(&up("users"), 1.0).await;
    assert_eq!(metrics.series("cii_user_ip_addresses").len(), 9, "{}", exporter.log());
    // It is known by now: it is asked alone, and the others together.
    until_asked(&simulator, "getEndUserState", 20).await;
    let requests = simulator.requests().last();
    let alone = requests.iter().rev().filter(|request| request.operation == "getEndUserState");
    let of_last: Vec<_> = alone.take(20).map(|request| request.variables.to_string()).collect();
    let together = of_last.iter().find(|variables| variables.contains("u4@")).unwrap();
    assert!(!together.contains("u3@"), "{together}");
}

/// Nothing is halved for a proxy's page.
#[tokio::test]
async fn a_page_of_a_proxy_is_no_reason_to_ask_one_by_one() {
    let (simulator, logins) = ten().await;
    simulator.faults().add(Fault::graphql(Kind::HtmlPage).of("getEndUserState"));
    let users: Vec<&str> = logins.iter().map(String::as_str).collect();
    let setup = crate::harness::Setup::new()
        .polling(&simulator, super::NEVER)
        .api("retries = 0")
        .watch(&format!("users = {users:?}"));
    let exporter = setup.start().await;
    exporter.until_metric(&up("users"), 0.0).await;
    let batches = simulator.requests().count("getEndUserState") / 10;
    assert!(batches <= 2, "{batches} requests for ten users");
}

/// A mark before any answer is dropped.
#[tokio::test]
async fn a_byte_order_mark_before_answers_is_dropped() {
    let simulator = simulator(6).await;
    simulator.faults().add(Fault::graphql(Kind::ByteOrderMark));
    simulator.faults().add(Fault::token(Kind::ByteOrderMark));
    let exporter = listing(&simulator).watch("users = [\"alice@example.com\"]").start().await;
    exporter.until_metric(&up("tenant"), 1.0).await;
    let metrics = exporter.until_metric(&up("users"), 1.0).await;
    assert_eq!(listed(&metrics), 6.0);
}

/// An answer is bounded in bytes and in items, and says so.
#[tokio::test]
async fn an_answer_without_end_costs_its_own_user_and_says_so() {
    for limit in ["max_answer_bytes = 100000", "max_answer_items = 1000"] {
        let (simulator, logins) = ten().await;
        let fault = Fault::graphql(Kind::ManyAddresses(20_000)).about("u3@example.com");
        simulator.faults().add(fault);
        let users: Vec<&str> = logins.iter().map(String::as_str).collect();
        let exporter = watching(&simulator, &users).api(limit).start().await;
        let metrics = exporter.until_metric(&targets("users", "failed"), 1.0).await;
        assert_eq!(metrics.get(&targets("users", "ok")), Some(9.0), "{}", exporter.log());
        assert_eq!(metrics.get(&up("users")), Some(1.0));
        let name = limit.split(' ').next().unwrap();
        super::until_logged(&exporter, "", &[name, "u3@example.com"]).await;
    }
}

/// Values that the published enums lack are kept as text.
#[tokio::test]
async fn enums_may_grow() {
    let simulator = simulator(6).await;
    for (operation, field, value) in [
        ("listEndUsers", "status", "PENDING_ACTIVATION"),
        ("listEndUsers", "userTypeClassification", "ROBOT"),
        ("listEndUsers", "levelOfTrust", "SPLENDID"),
        ("getEndUserState", "userTypeClassification", "ROBOT"),
        ("getEndUserState", "status", "PENDING_ACTIVATION"),
        ("getIntegrationsStatus", "status", "DEGRADED"),
    ] {
        simulator.faults().add(Fault::graphql(Kind::set(field, value)).of(operation));
    }
    let providers = serde_json::json!(["SNOWFLAKE", "JAMF"]);
    simulator.faults().add(Fault::graphql(Kind::Set("providers".to_owned(), providers)));
    let exporter = listing(&simulator)
        .watch("users = [\"alice@example.com\"]")
        .tables("[sync.service]\nschedule = \"* * * * * *\"")
        .start()
        .await;
    for job in ["tenant", "service", "users"] {
        exporter.until_metric(&up(job), 1.0).await;
    }
    let text = exporter.metrics().await.text.to_lowercase();
    for word in ["pending_activation", "robot", "splendid", "degraded", "snowflake", "jamf"] {
        assert!(text.contains(word), "{word} is not on /metrics\n{text}");
    }
}
