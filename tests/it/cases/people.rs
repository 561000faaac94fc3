//! Listed and followed users: who has series of their own, whom sums count, who leaves when.

use chrono::TimeDelta;
use cii_simulator::{
    AppsyncError, Fault, Kind, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::json;

use super::{EVERY_SECOND, events, simulator, until_asked, watching};
use crate::harness::{Body, Exporter, Setup, until};

const FOLLOWED: &str = "cii_followed_users";

fn watched(kind: &str) -> String {
    format!("cii_watched{{kind=\"{kind}\"}}")
}

fn application(name: &str, use_of: &str) -> String {
    format!("cii_application_{use_of}_users{{application=\"{name}\"}}")
}

/// Adds users who have an application that they do not use, and an address.
fn add(simulator: &Simulator, logins: &[&str]) {
    simulator.tenant(|tenant| {
        for login in logins {
            let mut user = User::new(login, "Somebody");
            user.unused_applications = vec!["Miro".to_owned()];
            user.ip_addresses = vec![IpAddress::new("192.0.2.1")];
            tenant.add_user(user);
            tenant.set_failing(login, "no-mfa", true);
        }
    });
}

/// A moment ago: an answer from before it would say nothing about it.
fn body(id: &str, users: &[&str]) -> serde_json::Value {
    let mut body = Body::new(id, "no-mfa", users).json();
    body["detail"]["published"] = json!(cii_exporter::clock::now().to_rfc3339());
    body
}

fn of_persons(metrics: &crate::harness::Metrics) -> usize {
    metrics.all().filter(|(series, _)| series.starts_with("cii_user_")).count()
}

/// Unused applications and new addresses are seen without a watch list.
#[tokio::test]
async fn sums_count_followed_users_and_name_nobody() {
    let simulator = simulator(3).await;
    add(&simulator, &["ann@example.com", "bob@example.com"]);
    let exporter = Setup::new().polling(&simulator, EVERY_SECOND).api("retries = 0").start().await;
    let metrics = exporter.metrics().await;
    for series in [FOLLOWED, "cii_new_ips_total", "cii_new_countries_total"] {
        assert_eq!(metrics.get(series), Some(0.0), "{series}");
    }
    let named = body("1", &["ann@example.com", "bob@example.com"]);
    assert_eq!(exporter.deliver(&named).await, 200);
    let metrics = exporter.until_metric(&application("Miro", "unused"), 2.0).await;
    assert_eq!(metrics.get(FOLLOWED), Some(2.0));
    assert_eq!(metrics.get(&watched("user")), Some(0.0));
    assert_eq!(of_persons(&metrics), 0, "nobody is listed");
    simulator.tenant(|tenant| {
        let user = tenant.user_mut("bob@example.com").unwrap();
        user.ip_addresses.push(IpAddress::new("192.0.2.2"));
    });
    exporter.until_metric("cii_new_ips_total", 1.0).await;
    assert_eq!(events(&exporter, "cii.user.ip.new").await.len(), 1);
    let exporter = exporter.kill().await.start().await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_new_ips_total"), Some(1.0));
    assert_eq!(metrics.get(&application("Miro", "unused")), Some(2.0));
}

#[tokio::test]
async fn whom_series_are_shown_for_follows_the_configuration_at_a_reload() {
    let mut exporter = Setup::new()
        .watch("users = [\"listed@example.com\"]")
        .tables("[metrics]\nuser_series = \"listed\"")
        .start()
        .await;
    let named = body("1", &["listed@example.com", "followed@example.com"]);
    assert_eq!(exporter.deliver(&named).await, 200);
    let failing = |login: &str| format!("cii_user_failing_checks{{login=\"{login}\"}}");
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&failing("listed@example.com")), Some(1.0));
    assert_eq!(of_persons(&metrics), 1);
    for (from, to, listed, followed) in [
        ("listed", "all", Some(1.0), Some(1.0)),
        ("all", "none", None, None),
        ("none", "listed", Some(1.0), None),
    ] {
        exporter.setup().replace(&format!("\"{from}\""), &format!("\"{to}\""));
        exporter.setup().write_config();
        exporter.signal("HUP");
        until(&format!("series of {to}"), || async {
            let metrics = exporter.metrics().await;
            (metrics.get(&failing("listed@example.com")) == listed
                && metrics.get(&failing("followed@example.com")) == followed)
                .then_some(())
        })
        .await;
        let metrics = exporter.metrics().await;
        assert_eq!((metrics.get(FOLLOWED), metrics.get(&watched("user"))), (Some(1.0), Some(1.0)));
    }
}

/// Past the limit only snapshots are not taken.
#[tokio::test]
async fn past_the_limit_failures_still_end_by_name() {
    let simulator = simulator(3).await;
    add(&simulator, &["ann@example.com", "bob@example.com", "cid@example.com"]);
    let setup = Setup::new().polling(&simulator, EVERY_SECOND).api("retries = 0");
    let exporter = setup.watch("users = [\"ann@example.com\"]\nmax_users = 2").start().await;
    let limit = "cii_watch_limit_reached";
    assert_eq!(exporter.metrics().await.get(limit), Some(0.0));
    let mut old = body("1", &["bob@example.com", "cid@example.com"]);
    // Long enough ago for an answer to end it.
    let published = cii_exporter::clock::now() - chrono::TimeDelta::hours(1);
    old["detail"]["published"] = json!(published.to_rfc3339());
    assert_eq!(exporter.deliver(&old).await, 200);
    let metrics = exporter.until_metric(limit, 1.0).await;
    assert_eq!((metrics.get(FOLLOWED), metrics.get(&watched("user"))), (Some(2.0), Some(1.0)));
    // A followed user takes no listed one's place.
    let wish = json!({ "kind": "user", "subject": "dee@example.com" });
    assert_eq!(exporter.api("POST", "/watch", Some(&wish)).await.0, 201);
    assert_eq!(exporter.api("DELETE", "/watch/user/dee@example.com", None).await.0, 200);
    exporter.until_metric(&application("Miro", "unused"), 2.0).await;
    until_asked(&simulator, "getEndUser", 2).await;
    assert_eq!(exporter.metrics().await.get(&application("Miro", "unused")), Some(2.0));
    simulator.tenant(|tenant| tenant.set_failing("cid@example.com", "no-mfa", false));
    until("the end of a failure", || async {
        let ended = events(&exporter, "cii.check.resolved").await;
        ended.iter().any(|event| event["login"] == "cid@example.com").then_some(())
    })
    .await;
    let (_, cid) = exporter.api("GET", "/users/cid@example.com", None).await;
    assert_eq!(cid["snapshot"], json!(null));
    // It is followed for another day.
    assert_eq!(exporter.metrics().await.get(FOLLOWED), Some(2.0));
    let expires = &exporter.api("GET", "/watch", None).await.1["entries"];
    let of_cid = expires.as_array().unwrap().iter().find(|e| e["subject"] == "cid@example.com");
    assert!(of_cid.unwrap()["expires_at"].is_string(), "{expires}");
}

/// A user whom nothing lists or follows is asked about by name only where no listing of the
/// tenant tells who fails; the failure ends either way.
#[tokio::test]
async fn others_are_asked_about_by_name_where_no_listing_tells_of_them() {
    const BOB: &str = "bob@example.com";
    let listing = |is_on: bool| {
        format!("[sync.tenant]\nenabled = {is_on}\nschedule = \"* * * * * *\"\non_start = true")
    };
    for (is_on, has_right) in [(true, true), (true, false), (false, true)] {
        let simulator = simulator(3).await;
        add(&simulator, &[BOB]);
        if !has_right {
            let error = AppsyncError::unauthorized("listEndUsers");
            simulator.faults().add(Fault::graphql(Kind::Error(error)).of("listEndUsers"));
        }
        let setup = Setup::new().polling(&simulator, EVERY_SECOND).api("retries = 0");
        let setup = setup.tables(&listing(is_on)).watch("failing_users = false");
        let exporter = setup.start().await;
        if is_on && has_right {
            exporter.until_metric("cii_tenant_listing_complete", 1.0).await;
        } else if !has_right {
            exporter.until_metric("cii_sync_off{task=\"tenant\"}", 1.0).await;
        }
        assert_eq!(exporter.deliver(&body("1", &[BOB])).await, 200);
        simulator.tenant(|tenant| tenant.set_failing(BOB, "no-mfa", false));
        until("the end of a failure", || async {
            let ended = events(&exporter, "cii.check.resolved").await;
            ended.iter().any(|event| event["login"] == BOB).then_some(())
        })
        .await;
        let asked = simulator.requests().counts();
        assert_eq!(asked.contains_key("getEndUser"), !(is_on && has_right), "{asked:?}");
        assert!(!asked.contains_key("getEndUserState"), "a snapshot is taken: {asked:?}");
        assert_eq!(exporter.metrics().await.get(FOLLOWED), Some(0.0));
    }
}

/// Where the budget does not suffice for everybody, the next run goes on where it ended.
#[tokio::test]
async fn others_who_do_not_fit_the_budget_are_asked_about_in_the_next_runs() {
    let simulator = simulator(3).await;
    let logins: Vec<String> = (0..60).map(|number| format!("u{number}@example.com")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    add(&simulator, &logins);
    let setup = Setup::new().polling(&simulator, EVERY_SECOND);
    // A window of a second has room for two requests, of ten users each.
    let setup = setup.api("retries = 0\nrequests_per_minute = 120");
    let exporter = setup.watch("failing_users = false").start().await;
    assert_eq!(exporter.deliver(&body("1", &logins)).await, 200);
    simulator.tenant(|tenant| {
        for login in &logins {
            tenant.set_failing(login, "no-mfa", false);
        }
    });
    until("the end of all failures", || async {
        (events(&exporter, "cii.check.resolved").await.len() == logins.len()).then_some(())
    })
    .await;
}

/// Series of a user's snapshot.
async fn snapshot_series(exporter: &Exporter) -> Vec<String> {
    let metrics = exporter.metrics().await;
    let families = ["cii_user_info", "cii_user_unused_applications", "cii_application_"];
    let of_snapshot = |series: &&str| families.iter().any(|family| series.starts_with(family));
    metrics.all().map(|(series, _)| series).filter(of_snapshot).map(str::to_owned).collect()
}

/// A13: the status says it.
#[tokio::test]
async fn a_user_who_is_deleted_in_the_tenant_counts_no_longer() {
    let simulator = simulator(3).await;
    add(&simulator, &["ann@example.com"]);
    let exporter = watching(&simulator, &["ann@example.com"]).start().await;
    exporter.until_metric(&application("Miro", "unused"), 1.0).await;
    simulator.tenant(|tenant| {
        tenant.user_mut("ann@example.com").unwrap().status_text = Some("DELETED".to_owned());
    });
    until("no series of the snapshot", || async {
        snapshot_series(&exporter).await.is_empty().then_some(())
    })
    .await;
    assert!(exporter.metrics().await.get("cii_user_poll_up{login=\"ann@example.com\"}").is_some());
    simulator.tenant(|tenant| {
        tenant.user_mut("ann@example.com").unwrap().status_text = None;
    });
    exporter.until_metric(&application("Miro", "unused"), 1.0).await;
}

/// A13: the service does not know the user for longer than a day.
#[tokio::test]
async fn a_user_who_is_unknown_for_a_day_counts_no_longer() {
    let simulator = simulator(3).await;
    add(&simulator, &["ann@example.com"]);
    let exporter = watching(&simulator, &["ann@example.com"]).start().await;
    exporter.until_metric(&application("Miro", "unused"), 1.0).await;
    simulator.tenant(|tenant| tenant.remove_user("ann@example.com"));
    let up = "cii_user_poll_up{login=\"ann@example.com\"}";
    exporter.until_metric(up, 0.0).await;
    assert!(!snapshot_series(&exporter).await.is_empty(), "a day of grace");
    let exporter = exporter.stop().await.ahead(TimeDelta::hours(25)).start().await;
    until("no series of the snapshot", || async {
        snapshot_series(&exporter).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(exporter.metrics().await.get(up), Some(0.0));
}

/// By what a person is named in metrics; a person is one series.
#[tokio::test]
async fn users_can_be_named_by_the_service_s_id_or_by_a_hash() {
    let simulator = simulator(3).await;
    add(&simulator, &["ann@example.com"]);
    let id = simulator.tenant(|tenant| tenant.user("ann@example.com").unwrap().id.clone());
    let mut exporter = watching(&simulator, &["Ann@example.com"])
        .tables("[metrics]\nuser_label = \"login\"\nhash_key = \"key\"")
        .start()
        .await;
    let failing = |label: &str| format!("cii_user_failing_checks{{login=\"{label}\"}}");
    exporter.until_metric(&failing("ann@example.com"), 1.0).await;
    // printf %s ann@example.com | openssl dgst -sha256 -hmac key
    let hash = "9e477c88a643485898d5bad53f82b84a";
    for (from, to, label) in [("login", "id", id.as_str()), ("id", "hash", hash)] {
        exporter.setup().replace(&format!("\"{from}\""), &format!("\"{to}\""));
        exporter.setup().write_config();
        exporter.signal("HUP");
        let metrics = exporter.until_metric(&failing(label), 1.0).await;
        assert!(metrics.all().all(|(series, _)| !series.contains("ann@example.com")), "{to}");
    }
    let setup = Setup::new().tables("[metrics]\nuser_label = \"hash\"");
    let refused = setup.run(&["check-config"]).await;
    assert!(refused.code != 0 && refused.errors.contains("metrics.hash_key"), "{refused:?}");
}
