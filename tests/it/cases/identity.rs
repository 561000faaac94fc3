//! Who a login is: an e-mail login is one person in any case, asked for and shown in the
//! service's spelling.

use cii_simulator::tenant::User;
use serde_json::json;

use super::{events, failing, simulator, until_asked, watching};
use crate::harness::{Body, Setup, until};

/// D9: watched in one spelling, named by deliveries in others.
#[tokio::test]
async fn an_email_login_is_one_person_in_any_case() {
    let exporter =
        Setup::new().watch("users = [\"Mixed@example.com\", \"Svc.Account\"]").start().await;
    let (_, list) = exporter.api("GET", "/watch", None).await;
    // The operator's spelling, until the service has one.
    assert_eq!(list["entries"][1]["subject"], "Mixed@example.com");
    let names = ["mixed@Example.com", "MIXED@example.com", "svc.account", "Svc.Account"];
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &names).json()).await, 200);
    let metrics = exporter.metrics().await;
    assert_eq!(failing(&metrics, "no-mfa"), 3.0, "{}", exporter.log());
    assert_eq!(metrics.get("cii_user_failing_checks{login=\"mixed@example.com\"}"), Some(1.0));
    assert_eq!(metrics.get("cii_user_failing_checks{login=\"Svc.Account\"}"), Some(1.0));
    assert_eq!(events(&exporter, "cii.check.failed").await.len(), 3);

    // Whatever names the user finds them, in the spelling of the delivery.
    for path in ["/users/MIXED@EXAMPLE.COM", "/users/mixed@example.com"] {
        let (status, user) = exporter.api("GET", path, None).await;
        assert_eq!((status, &user["login"]), (200, &json!("mixed@Example.com")), "{user}");
        assert_eq!(user["failing_checks"].as_array().unwrap().len(), 1);
        let (status, page) = exporter.get(path).await;
        assert!(status == 200 && page.contains("mixed@Example.com"), "{page}");
    }
    let (_, found) =
        exporter.api("GET", "/events?name=cii.check.failed&login=miXed@example.com", None).await;
    let found = found["events"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["attributes"]["user.email"], "mixed@Example.com");
    assert_eq!(exporter.api("GET", "/users/SVC.ACCOUNT", None).await.0, 404);

    // As last spelled, also by another delivery; and only one of the two is the same user.
    let again = Body::new("2", "admin-mfa", &["MIXED@example.com"]).json();
    assert_eq!(exporter.deliver(&again).await, 200);
    let (_, user) = exporter.api("GET", "/users/mixed@example.com", None).await;
    assert_eq!(user["login"], "MIXED@example.com");
    let (_, users) = exporter.api("GET", "/checks/no-mfa/users", None).await;
    let logins: Vec<_> =
        users["users"].as_array().unwrap().iter().map(|user| user["login"].clone()).collect();
    assert_eq!(logins, ["Svc.Account", "MIXED@example.com", "svc.account"]);
    let exporter = exporter.kill().await.start().await;
    let (_, user) = exporter.api("GET", "/users/mixed@example.com", None).await;
    assert_eq!(user["login"], "MIXED@example.com", "the configuration's spelling is older");
}

#[tokio::test]
async fn the_watch_list_knows_a_user_in_any_case() {
    let exporter = Setup::new().start().await;
    for (subject, code) in [("Ann@example.com", 201), ("aNN@example.com", 200)] {
        let wish = json!({ "kind": "user", "subject": subject });
        assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, code, "{subject}");
    }
    exporter.until_metric("cii_watched{kind=\"user\"}", 1.0).await;
    let removed = exporter.run(&["watch", "remove", "user", "ANN@example.com"]).await;
    assert_eq!(removed.code, 0, "{removed:?}");
    exporter.until_metric("cii_watched{kind=\"user\"}", 0.0).await;
}

/// The service answers in its own spelling, and is asked in it from then on.
#[tokio::test]
async fn the_service_is_asked_in_its_own_spelling() {
    let simulator = simulator(3).await;
    simulator.tenant(|tenant| tenant.add_user(User::new("ann@example.com", "Ann")));
    let exporter = watching(&simulator, &["Ann@example.com"]).start().await;
    exporter.until_metric("cii_user_poll_up{login=\"ann@example.com\"}", 1.0).await;
    until_asked(&simulator, "getEndUserState", 2).await;
    let asked = || {
        let requests = simulator.requests().last();
        requests
            .iter()
            .filter(|request| request.operation == "getEndUserState")
            .map(|request| request.variables.to_string())
            .collect::<Vec<_>>()
    };
    assert!(asked().first().unwrap().contains("Ann@example.com"), "{:?}", asked());
    until("a request in the service's spelling", || async {
        asked().last().filter(|variables| variables.contains("\"ann@example.com\"")).map(|_| ())
    })
    .await;
    // A restart reads the configuration again, which is the older spelling.
    let exporter = exporter.kill().await.start().await;
    let before = asked().len();
    until_asked(&simulator, "getEndUserState", 1).await;
    assert!(asked()[before..].iter().all(|variables| variables.contains("\"ann@example.com\"")));
    drop(exporter);
}
