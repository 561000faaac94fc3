//! The words of a check: title, severity, description and advice.

use cii_simulator::{Options, Simulator};
use serde_json::{Value, json};

use super::{EVERY_SECOND, events};
use crate::harness::{Body, Exporter, Setup};

/// A delivery of one user about `no-mfa`, published at this second, with these fields.
fn delivery(id: &str, second: u32, fields: &Value) -> Value {
    let mut detail = json!({
        "checkId": "no-mfa",
        "login": format!("{id}@example.com"),
        "published": format!("2026-01-01T00:00:{second:02}Z"),
    });
    for (name, value) in fields.as_object().unwrap() {
        detail[name] = value.clone();
    }
    json!({ "id": id, "detail-type": "FAILED_CHECK", "detail": detail })
}

async fn check(exporter: &Exporter) -> Value {
    let (status, answer) = exporter.api("GET", "/checks", None).await;
    assert_eq!(status, 200, "{answer}");
    let checks = answer["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 1, "{answer}");
    checks[0].clone()
}

/// Has the daemon reload its configuration with other words in it.
async fn reload_with(exporter: &mut Exporter, old: &str, new: &str) {
    exporter.setup().replace(old, new);
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    let answer = reload.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", exporter.log());
    let answer: Value = answer.json().await.unwrap_or_default();
    assert_eq!(answer["needs_restart"].as_array().map_or(0, Vec::len), 0, "{answer}");
}

/// D5: what a delivery does not say of a check stays.
#[tokio::test]
async fn a_delivery_says_nothing_about_the_words_that_it_does_not_have() {
    let words = json!({
        "title": "No MFA Configured", "severity": "Critical",
        "description": ["Finds users without MFA."], "recommendedActions": ["Enrol them."],
    });
    for (number, empty) in [
        json!({}),
        json!({ "title": null, "severity": null, "description": null, "recommendedActions": null }),
        json!({ "title": "", "severity": " ", "description": [], "recommendedActions": [""] }),
        json!({ "title": {}, "severity": [], "description": "", "recommendedActions": {} }),
    ]
    .into_iter()
    .enumerate()
    {
        // Words first, words last, and words that arrive late.
        for order in
            [[(1, &words), (2, &empty)], [(1, &empty), (2, &words)], [(2, &empty), (1, &words)]]
        {
            let exporter = Setup::new().start().await;
            for (second, fields) in order {
                let body = delivery(&format!("d{second}"), second, fields);
                assert_eq!(exporter.deliver(&body).await, 200, "{body}");
            }
            let check = check(&exporter).await;
            assert_eq!(check["title"], "No MFA Configured", "{number}: {check}");
            assert_eq!(check["severity"], "critical", "{number}: {check}");
            assert_eq!(check["description"], words["description"], "{number}: {check}");
            assert_eq!(check["recommended_actions"], words["recommendedActions"], "{check}");
            let metrics = exporter.metrics().await;
            let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"critical\"}";
            assert_eq!(metrics.get(series), Some(2.0), "{}", metrics.text);
        }
    }
}

/// A re-rating changes one label, and splits no counter.
#[tokio::test]
async fn a_check_that_is_rated_otherwise_keeps_its_one_series_of_each_counter() {
    let exporter = Setup::new().start().await;
    for (number, severity) in ["low", "Moderate", "HIGH", "severe"].into_iter().enumerate() {
        let second = u32::try_from(number).unwrap();
        let body = delivery(&format!("d{number}"), second, &json!({ "severity": severity }));
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let exporter = exporter.kill().await.start().await;
    let metrics = exporter.metrics().await;
    for (name, value) in [("failures", 4.0), ("resolutions", 0.0)] {
        let name = format!("cii_check_{name}_total");
        let series = format!("{name}{{check_id=\"no-mfa\"}}");
        assert_eq!(metrics.series(&name), [(series.as_str(), value)], "{}", metrics.text);
    }
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"severe\"}";
    assert_eq!(metrics.series("cii_check_failing_users"), [(failing, 4.0)]);
    let last = metrics.get("cii_check_last_failure_timestamp_seconds{check_id=\"no-mfa\"}");
    let committed = metrics.get("cii_webhook_last_delivery_timestamp_seconds").unwrap();
    assert!((last.unwrap() - committed).abs() < 60.0, "committed, not published: {last:?}");
}

/// A check that only answers list has the words of the configuration, and then those of a delivery.
#[tokio::test]
async fn a_check_that_no_delivery_tells_of_has_the_words_of_the_configuration() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let login = tenant.users().next().unwrap().login.clone();
        for check in ["no-mfa", "dormant-account"] {
            tenant.set_failing(&login, check, false);
        }
        tenant.set_failing(&login, "no-mfa", true);
    });
    let login = simulator.tenant(|tenant| tenant.users().next().unwrap().login.clone());
    let words = "[checks.\"no-mfa\"]\nseverity = \"Critical\"\ntitle = \"Without MFA\"";
    let mut exporter = Setup::new()
        .polling(&simulator, EVERY_SECOND)
        .watch(&format!("users = [{login:?}]"))
        .tables(words)
        .start()
        .await;
    let failing = |severity: &str| {
        format!("cii_check_failing_users{{check_id=\"no-mfa\",severity=\"{severity}\"}}")
    };
    let info = |severity: &str, title: &str| {
        format!("cii_check_info{{check_id=\"no-mfa\",severity=\"{severity}\",title=\"{title}\"}}")
    };
    let metrics = exporter.until_metric(&failing("critical"), 1.0).await;
    assert_eq!(metrics.get(&info("critical", "Without MFA")), Some(1.0), "{}", metrics.text);
    let shown = async |exporter: &Exporter| {
        let (_, user) = exporter.api("GET", &format!("/users/{login}"), None).await;
        let checks = user["failing_checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check_id"] == "no-mfa");
        let check = check.unwrap_or_else(|| panic!("{user}")).clone();
        (
            check["title"].as_str().unwrap().to_owned(),
            check["severity"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(shown(&exporter).await, ("Without MFA".into(), "critical".into()));
    let (_, page) = exporter.get("/checks/no-mfa").await;
    assert!(page.contains("Without MFA") && page.contains("critical"), "{page}");

    // Reloaded, killed and started, and taken away.
    reload_with(&mut exporter, "\"Critical\"", "\"low\"").await;
    exporter.until_metric(&failing("low"), 1.0).await;
    assert_eq!(exporter.metrics().await.get(&failing("critical")), None);
    let mut exporter = exporter.kill().await.start().await;
    let metrics = exporter.until_metric(&failing("low"), 1.0).await;
    assert_eq!(metrics.get(&info("low", "Without MFA")), Some(1.0), "{}", metrics.text);

    // The simulator's user begins to fail another time, and the event has the words.
    simulator.tenant(|tenant| tenant.set_failing(&login, "no-mfa", false));
    exporter.until_metric(&failing("low"), 0.0).await;
    let resolved = events(&exporter, "cii.check.resolved").await;
    let of_check = resolved.iter().find(|event| event["check_id"] == "no-mfa").unwrap();
    assert_eq!(of_check["attributes"]["cii.check.title"], "Without MFA");
    assert_eq!(of_check["attributes"]["cii.check.severity"], "low");

    // A delivery's words win, each for itself.
    let mut told = Body::new("1", "no-mfa", &["b@example.com"]).json();
    told["detail"]["severity"] = Value::Null;
    told["detail"]["title"] = json!("Told");
    assert_eq!(exporter.deliver(&told).await, 200);
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&info("low", "Told")), Some(1.0), "{}", metrics.text);
    reload_with(&mut exporter, "[checks.\"no-mfa\"]", "[checks.\"other\"]").await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&info("unknown", "Told")), Some(1.0), "{}", metrics.text);
}

/// What is gone for good is forgotten: on a running daemon, and on the file alone.
#[tokio::test]
async fn a_check_that_is_forgotten_leaves_nothing_behind() {
    let exporter = Setup::new().start().await;
    for (id, check) in [("1", "gone"), ("2", "stays")] {
        let users: Vec<String> = (0..600).map(|number| format!("u{number}@example.com")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let body = Body::new(id, check, &users[..if check == "gone" { 600 } else { 2 }]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
    }
    let refused = exporter.run(&["checks", "forget", "unheard-of"]).await;
    assert!(
        refused.code == 1 && refused.errors.contains("there is no check unheard-of"),
        "{refused:?}"
    );
    let refused = exporter.run(&["checks", "forget", " "]).await;
    assert!(refused.code == 64 && refused.errors.contains("must not be empty"), "{refused:?}");
    let forgotten = exporter.run(&["checks", "forget", "gone"]).await;
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
    let metrics = exporter.metrics().await;
    assert!(!metrics.text.contains("gone"), "{}", metrics.text);
    assert_eq!(metrics.get("cii_failing_users{severity=\"high\"}"), Some(2.0), "{}", metrics.text);
    let user = "cii_user_failing_checks{login=\"u5@example.com\"}";
    assert!(metrics.get(user).is_none_or(|failing| failing == 0.0), "{}", metrics.text);
    let (_, checks) = exporter.api("GET", "/checks", None).await;
    assert_eq!(
        (&checks["failing_people"], checks["checks"].as_array().unwrap().len()),
        (&json!(2), 1)
    );
    assert!(events(&exporter, "cii.check.resolved").await.is_empty(), "nothing was resolved");
    assert_eq!(exporter.api("DELETE", "/checks/gone", None).await.0, 404);

    let before = exporter.metrics().await;
    let setup = exporter.stop().await;
    let exporter = setup.start().await;
    assert_eq!(exporter.metrics().await.of_tenant(), before.of_tenant());
    let setup = exporter.stop().await;
    let forgotten = setup.run(&["checks", "forget", "stays"]).await;
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
    let exporter = setup.start().await;
    assert!(exporter.metrics().await.series("cii_check_info").is_empty());
}
