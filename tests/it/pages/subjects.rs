//! Users, addresses and the watch list.

use chrono::TimeDelta;
use cii_simulator::{
    Options, Simulator,
    tenant::{IpAddress, Location},
};
use serde_json::{Value, json};

use super::{place, text};
use crate::harness::{Body, Setup, until};

/// A delivery of users who fail a check of a severity for so long.
fn failing_for(id: &str, check: &str, severity: &str, users: &[&str], time: TimeDelta) -> Value {
    let mut body = Body::new(id, check, users).json();
    body["detail"]["severity"] = json!(severity);
    body["detail"]["published"] = json!((cii_exporter::clock::now() - time).to_rfc3339());
    body
}

/// A tenant of a few users who fail nothing.
async fn tenant() -> (Simulator, Vec<String>) {
    let simulator = Simulator::start(Options { users: 4, ..Options::default() }).await.unwrap();
    let logins = simulator.tenant(|tenant| tenant.logins());
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.user_mut(login).unwrap().failing_checks.clear();
        }
    });
    (simulator, logins)
}

#[tokio::test]
async fn a_user_has_the_worst_first_what_is_overdue_and_what_was_resolved() {
    let (simulator, logins) = tenant().await;
    let user = logins[0].as_str();
    let tables = "[slo]\ncritical = \"2h\"\nhigh = \"30d\"";
    let exporter = Setup::new().tables(tables).start().await;
    for (id, check, severity, age) in [
        ("1", "mild", "low", TimeDelta::days(9)),
        ("2", "grave", "critical", TimeDelta::hours(5)),
        ("3", "middling", "high", TimeDelta::days(3)),
    ] {
        let body = failing_for(id, check, severity, &[user], age);
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let path = format!("/users/{user}");
    let page = text(&exporter.get(&path).await.1);
    let order = [
        place(&page, "Critical Title of grave"),
        place(&page, "High Title of middling"),
        place(&page, "Low Title of mild"),
    ];
    assert!(order.is_sorted(), "{page}");
    for said in [
        "Fails 3 checks 1 critical, 1 high, 1 low",
        "Overdue 1 check by 3 h",
        "failing for 5 h",
        "3 h overdue",
        "due in 26 d",
        "no target",
    ] {
        place(&page, said);
    }
    let page = exporter.get(&path).await.1;
    assert!(page.contains("aria-label=\"Failed on 10 of the last 30 days\""), "{page}");
    // An answer ends all of them: they stay, with how long they took.
    let setup = exporter.stop().await.polling(&simulator, "* * * * * *");
    let exporter = setup.start().await;
    let page = until("a user who fails nothing", || async {
        let page = text(&exporter.get(&path).await.1);
        page.contains("Fails 0 checks").then_some(page)
    })
    .await;
    for said in ["Overdue none", "The user is not known to fail a check.", "took 9 d", "took 5 h"] {
        place(&page, said);
    }
    assert!(
        place(&page, "Critical Title of grave resolved")
            < place(&page, "Low Title of mild resolved"),
        "{page}"
    );
}

#[tokio::test]
async fn addresses_have_when_they_were_first_and_last_seen_and_where() {
    let (simulator, logins) = tenant().await;
    let user = logins[0].clone();
    let at = |ip: &str, city: &str, country: &str| {
        IpAddress::new(ip).at(Location::new(city, "", country))
    };
    let places = |addresses: Vec<IpAddress>| {
        simulator.tenant(|tenant| tenant.user_mut(&user).unwrap().ip_addresses = addresses);
    };
    places(vec![at("198.51.100.1", "Berlin", "DE"), at("198.51.100.2", "Berlin", "DE")]);
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{user:?}]\nips = [\"198.51.100.1\"]"))
        .start()
        .await;
    exporter.until_metric(&format!("cii_user_ip_addresses{{login={user:?}}}"), 2.0).await;
    let path = format!("/users/{user}");
    let (_, page) = exporter.get(&path).await;
    assert!(page.contains("just now</time> or before"), "{page}");
    // Only an address that is asked about has a page.
    assert!(
        page.contains("href=\"/ips/198.51.100.1\"") && !page.contains("/ips/198.51.100.2"),
        "{page}"
    );
    places(vec![at("198.51.100.1", "Berlin", "DE"), at("203.0.113.9", "Porto", "PT")]);
    let page = until("a new address", || async {
        let page = text(&exporter.get(&path).await.1);
        page.contains("203.0.113.9").then_some(page)
    })
    .await;
    let list = &page[place(&page, "Addresses that the user came from")..];
    assert!(place(list, "203.0.113.9") < place(list, "198.51.100.1"), "{list}");
    assert!(place(list, "198.51.100.1") < place(list, "198.51.100.2"), "{list}");
    for said in ["Porto, PT new country", "gone", "2 1 new in 7 days, in a new country"] {
        place(&page, said);
    }
}

#[tokio::test]
async fn an_address_says_who_is_new_there_and_who_fails_what() {
    let (simulator, logins) = tenant().await;
    let place_of = |login: &str| {
        simulator.tenant(|tenant| {
            tenant.user_mut(login).unwrap().ip_addresses = vec![IpAddress::new("203.0.113.7")];
        });
    };
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.user_mut(login).unwrap().ip_addresses.clear();
        }
    });
    place_of(&logins[0]);
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch("ips = [\"203.0.113.7\"]\nfailing_users = false")
        .start()
        .await;
    exporter.until_metric("cii_ip_users{ip=\"203.0.113.7\"}", 1.0).await;
    let page = text(&exporter.get("/ips/203.0.113.7").await.1);
    for said in ["Users 1", "New in 24 hours 0 users", "Users who fail a check 0", "fails none"] {
        place(&page, said);
    }
    place_of(&logins[1]);
    exporter.until_metric("cii_ip_users{ip=\"203.0.113.7\"}", 2.0).await;
    let body = failing_for("1", "no-mfa", "critical", &[&logins[1]], TimeDelta::hours(1));
    assert_eq!(exporter.deliver(&body).await, 200);
    let page = text(&exporter.get("/ips/203.0.113.7").await.1);
    for said in
        ["New in 24 hours 1 user", "Users who fail a check 1 1 critical", "Critical 1 check"]
    {
        place(&page, said);
    }
    let list = &page[place(&page, "Users of the address")..];
    assert!(place(list, &logins[1]) < place(list, &logins[0]), "{list}");
    assert_eq!(exporter.get("/ips/203.0.113.7?page=1").await.0, 200);
    assert_eq!(exporter.get("/ips/203.0.113.7?page=-1").await.0, 400);
}

#[tokio::test]
async fn the_watch_list_says_why_until_when_and_what_went_wrong() {
    let (simulator, logins) = tenant().await;
    let exporter = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [{:?}, \"alcie@example.com\"]", logins[0]))
        .start()
        .await;
    let wish = json!({
        "kind": "user", "subject": logins[1], "note": "case <4711>",
        "expires_at": (cii_exporter::clock::now() + TimeDelta::days(14)).to_rfc3339(),
    });
    assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, 201);
    // Who is named is asked about, too.
    simulator.tenant(|tenant| assert!(tenant.set_failing(&logins[2], "no-mfa", true)));
    let body = failing_for("1", "no-mfa", "critical", &[&logins[2]], TimeDelta::hours(1));
    assert_eq!(exporter.deliver(&body).await, 200);
    let page = until("a poll of each", || async {
        let page = text(&exporter.get("/watched").await.1);
        (page.contains("is the login right?") && page.contains("Critical 1 check")).then_some(page)
    })
    .await;
    for said in [
        "not found",
        "case &lt;4711&gt;",
        "command until ",
        "With a problem 1",
        "By configuration 2",
        "Expire 1",
        "All 4",
    ] {
        place(&page, said);
    }
    for (view, there, gone) in [
        ("problem", "alcie@example.com", &logins[0]),
        ("configuration", &logins[0], &logins[1]),
        ("expiring", &logins[1], &logins[0]),
    ] {
        let page = text(&exporter.get(&format!("/watched?view={view}")).await.1);
        let list = &page[place(&page, "Watched users")..];
        place(list, there);
        assert!(!list.contains(gone), "{view}: {list}");
    }
    assert_eq!(exporter.get("/watched?view=none").await.0, 400);
    assert_eq!(exporter.get("/watched?page=7").await.0, 200);
}
