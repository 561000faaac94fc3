//! What opens a failure, what ends it, and which one is told as new.

use chrono::TimeDelta;
use cii_simulator::{
    Simulator,
    tenant::{Tenant, User},
};
use serde_json::{Value, json};

use super::{
    EVERY_SECOND, NEVER, events, failing, listing, simulator, targets, until_asked, until_logged,
    watching,
};
use crate::harness::{Body, Exporter, Setup, until};

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";

/// A tenant with these users, of whom those fail `no-mfa`; `failingChecks` has titles.
async fn titled(users: &[&str], failing: &[&str]) -> Simulator {
    let simulator = simulator(0).await;
    simulator.tenant(|tenant| {
        tenant.failing_checks_by_title = true;
        for login in users {
            tenant.add_user(User::new(login, "Somebody"));
        }
        fail(tenant, failing, "no-mfa");
    });
    simulator
}

fn fail(tenant: &mut Tenant, logins: &[&str], check: &str) {
    for login in logins {
        assert!(tenant.set_failing(login, check, true), "{login} {check}");
    }
}

/// A delivery in the words of the simulator's check.
fn delivery(simulator: &Simulator, id: &str, check: &str, users: &[&str]) -> Value {
    let mut body = Body::new(id, check, users).json();
    let title = simulator.tenant(|tenant| tenant.check(check).map(|check| check.title.clone()));
    body["detail"]["title"] = title.unwrap().into();
    body
}

async fn until_failing(exporter: &Exporter, check: &str, users: f64) {
    until(&format!("{users} failing {check}\n{}", exporter.log()), || async {
        (failing(&exporter.metrics().await, check) == users).then_some(())
    })
    .await;
}

async fn reload(exporter: &mut Exporter) {
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    assert_eq!(reload.send().await.unwrap().status(), 200);
}

async fn failed_and_resolved(exporter: &Exporter) -> (usize, usize) {
    let failed = events(exporter, "cii.check.failed").await.len();
    (failed, events(exporter, "cii.check.resolved").await.len())
}

/// A10: a baseline by title, and then a delivery that explains the title.
#[tokio::test]
async fn a_text_that_a_delivery_explains_becomes_its_check() {
    let simulator = titled(&[A, B], &[A]).await;
    let exporter = watching(&simulator, &[A, B]).start().await;
    let title = simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone());
    until_failing(&exporter, &title, 1.0).await;
    simulator.tenant(|tenant| fail(tenant, &[B], "no-mfa"));
    let body = delivery(&simulator, "1", "no-mfa", &[B]);
    assert_eq!(exporter.deliver(&body).await, 200);
    until_failing(&exporter, "no-mfa", 2.0).await;
    let metrics = exporter.metrics().await;
    assert!(!metrics.text.contains(&format!("check_id=\"{title}\"")), "{}", metrics.text);
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"no-mfa\"}"), Some(1.0));
    let identified = events(&exporter, "cii.check.identified").await;
    assert_eq!(identified.len(), 1);
    assert_eq!(identified[0]["attributes"]["cii.check.id"], "no-mfa");
    assert_eq!(identified[0]["attributes"]["cii.check.former_id"], title);
    // A delivery a day, and answers in between.
    for id in ["2", "3"] {
        until_asked(&simulator, "getEndUser", 4).await;
        assert_eq!(exporter.deliver(&delivery(&simulator, id, "no-mfa", &[B])).await, 200);
    }
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(failed_and_resolved(&exporter).await, (1, 0));
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
    let (_, user) = exporter.api("GET", &format!("/users/{A}"), None).await;
    assert_eq!(user["failing_checks"][0]["check_id"], "no-mfa", "{user}");
    let people = exporter.metrics().await.get("cii_failing_users{severity=\"high\"}");
    assert_eq!(people, Some(2.0));
    let before = exporter.metrics().await.get("cii_check_failures_total{check_id=\"no-mfa\"}");
    let exporter = exporter.kill().await.start().await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0, "the kill changes nothing");
    let after = exporter.metrics().await.get("cii_check_failures_total{check_id=\"no-mfa\"}");
    assert_eq!(before, after);
}

/// A10, by configuration.
#[tokio::test]
async fn a_text_that_the_configuration_explains_becomes_its_check() {
    let simulator = titled(&[A], &[A]).await;
    let mut exporter = watching(&simulator, &[A]).start().await;
    let title = simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone());
    until_failing(&exporter, &title, 1.0).await;
    let checks = format!("[checks.no-mfa]\ntitle = \"{title}\"\nseverity = \"critical\"\n[api]");
    exporter.setup().replace("[api]", &checks);
    reload(&mut exporter).await;
    until_failing(&exporter, "no-mfa", 1.0).await;
    assert_eq!(failing(&exporter.metrics().await, &title), 0.0);
    assert_eq!(events(&exporter, "cii.check.identified").await.len(), 1);
    assert_eq!(failed_and_resolved(&exporter).await, (0, 0));
}

/// A11: three users, and the check gets another title in the console.
#[tokio::test]
async fn a_check_that_is_renamed_fails_on() {
    let simulator = titled(&[A, B, C], &[A, B, C]).await;
    let exporter = watching(&simulator, &[A, B, C]).start().await;
    let body = delivery(&simulator, "1", "no-mfa", &[A, B, C]);
    assert_eq!(exporter.deliver(&body).await, 200);
    // Published before the rename, and before every question that is answered after it; on its
    // way until after both.
    let late = delivery(&simulator, "2", "no-mfa", &[A]);
    until_asked(&simulator, "getEndUser", 6).await;
    simulator.tenant(|tenant| tenant.check_mut("no-mfa").unwrap().title = "MFA Missing".into());
    until_logged(&exporter, "INFO", &["was renamed", "no-mfa", "MFA Missing"]).await;
    until_asked(&simulator, "getEndUser", 6).await;
    assert_eq!(failed_and_resolved(&exporter).await, (3, 0));
    let metrics = exporter.metrics().await;
    assert_eq!(failing(&metrics, "no-mfa"), 3.0);
    assert!(!metrics.text.contains("check_id=\"MFA Missing\""), "{}", metrics.text);
    assert!(metrics.text.contains("title=\"MFA Missing\""), "{}", metrics.text);
    assert_eq!(exporter.deliver(&late).await, 200);
    let metrics = exporter.metrics().await;
    assert!(metrics.text.contains("title=\"MFA Missing\""), "{}", metrics.text);
    // From now on the new title is the check's: who is mended is resolved at once.
    simulator.tenant(|tenant| assert!(tenant.set_failing(A, "no-mfa", false)));
    until_failing(&exporter, "no-mfa", 2.0).await;
    assert_eq!(failed_and_resolved(&exporter).await, (3, 1));
}

/// A11 with too few users to be sure: nothing ends, and nothing is new, until a delivery
/// explains the text.
#[tokio::test]
async fn a_title_that_two_users_exchange_waits_for_an_explanation() {
    let simulator = titled(&[A, B], &[A, B]).await;
    let exporter = watching(&simulator, &[A, B]).start().await;
    let body = delivery(&simulator, "1", "no-mfa", &[A, B]);
    assert_eq!(exporter.deliver(&body).await, 200);
    until_asked(&simulator, "getEndUser", 4).await;
    simulator.tenant(|tenant| tenant.check_mut("no-mfa").unwrap().title = "MFA Missing".into());
    let undecided = async |exporter: &Exporter| {
        until("a text that is undecided", || async {
            let (_, user) = exporter.api("GET", &format!("/users/{A}"), None).await;
            (user["undecided_checks"] == json!(["MFA Missing"])).then_some(())
        })
        .await;
    };
    undecided(&exporter).await;
    let (_, page) = exporter.get(&format!("/users/{A}")).await;
    assert!(page.contains("MFA Missing"), "{page}");
    let exporter = exporter.kill().await.start().await;
    undecided(&exporter).await;
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(failed_and_resolved(&exporter).await, (2, 0));
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
    assert_eq!(failing(&exporter.metrics().await, "MFA Missing"), 0.0);
    let explained = delivery(&simulator, "2", "no-mfa", &[A]);
    assert_eq!(exporter.deliver(&explained).await, 200);
    until("the text is explained", || async {
        let (_, user) = exporter.api("GET", &format!("/users/{A}"), None).await;
        (user["undecided_checks"] == json!([])).then_some(())
    })
    .await;
    assert_eq!(failed_and_resolved(&exporter).await, (2, 0));
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
}

/// A12: two checks with one title.
#[tokio::test]
async fn a_title_that_two_checks_share_opens_and_ends_nothing() {
    let simulator = titled(&[A, B], &[A]).await;
    let other = simulator.tenant(|tenant| {
        let other = tenant.checks().find(|check| check.id != "no-mfa").unwrap().id.clone();
        let title = tenant.check("no-mfa").unwrap().title.clone();
        tenant.check_mut(&other).unwrap().title = title;
        other
    });
    let exporter = watching(&simulator, &[A, B]).start().await;
    for (id, check) in [("1", "no-mfa"), ("2", other.as_str())] {
        assert_eq!(exporter.deliver(&delivery(&simulator, id, check, &[A])).await, 200);
    }
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 1.0);
    assert_eq!(failing(&exporter.metrics().await, &other), 1.0);
    simulator.tenant(|tenant| fail(tenant, &[B], "no-mfa"));
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(failed_and_resolved(&exporter).await, (2, 0));
    simulator.tenant(|tenant| assert!(tenant.set_failing(A, "no-mfa", false)));
    until_failing(&exporter, "no-mfa", 0.0).await;
    until_failing(&exporter, &other, 0.0).await;
    assert_eq!(failed_and_resolved(&exporter).await, (2, 2));
}

/// D7: a delivery names somebody whom the API does not know yet.
#[tokio::test]
async fn a_user_whom_the_api_does_not_know_is_cleared_of_nothing() {
    let simulator = simulator(1).await;
    let exporter = watching(&simulator, &["gone@example.com"]).start().await;
    exporter.until_metric(&targets("users", "not_found"), 1.0).await;
    let mut body = Body::new("1", "no-mfa", &["gone@example.com"]).json();
    let published = cii_exporter::clock::now() - TimeDelta::seconds(3);
    body["detail"]["published"] = published.to_rfc3339().into();
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(exporter.deliver(&body).await, 200);
    until_asked(&simulator, "getEndUser", 2).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 1.0);
    assert_eq!(failed_and_resolved(&exporter).await, (1, 0));
}

/// D8: the first poll saw the failure already; and the delivery comes first.
#[tokio::test]
async fn poll_and_delivery_together_tell_of_a_failure_once() {
    let simulator = simulator(0).await;
    simulator.tenant(|tenant| {
        for login in [A, B] {
            tenant.add_user(User::new(login, "Somebody"));
        }
        fail(tenant, &[A], "no-mfa");
    });
    let exporter = watching(&simulator, &[A, B]).start().await;
    until_failing(&exporter, "no-mfa", 1.0).await;
    assert_eq!(failed_and_resolved(&exporter).await, (0, 0));
    for id in ["1", "2"] {
        assert_eq!(exporter.deliver(&delivery(&simulator, id, "no-mfa", &[A])).await, 200);
    }
    until_asked(&simulator, "getEndUser", 4).await;
    assert_eq!(failed_and_resolved(&exporter).await, (1, 0));
    let counted = "cii_check_failures_total{check_id=\"no-mfa\"}";
    assert_eq!(exporter.metrics().await.get(counted), Some(1.0));
    // Seen by a poll first, and not at the first look: that is news, once.
    simulator.tenant(|tenant| fail(tenant, &[B], "no-mfa"));
    until_failing(&exporter, "no-mfa", 2.0).await;
    assert_eq!(exporter.deliver(&delivery(&simulator, "3", "no-mfa", &[B])).await, 200);
    assert_eq!(failed_and_resolved(&exporter).await, (2, 0));
    // The end of one says whether it had been told.
    simulator.tenant(|tenant| assert!(tenant.set_failing(A, "no-mfa", false)));
    until_failing(&exporter, "no-mfa", 1.0).await;
    let resolved = events(&exporter, "cii.check.resolved").await;
    assert_eq!(resolved[0]["attributes"]["cii.check.announced"], json!(true));
}

/// The end of a failure that was there before anybody looked.
#[tokio::test]
async fn the_end_of_what_was_never_told_is_told_as_such() {
    let simulator = simulator(0).await;
    simulator.tenant(|tenant| {
        tenant.add_user(User::new(A, "Somebody"));
        fail(tenant, &[A], "no-mfa");
    });
    let exporter = watching(&simulator, &[A]).start().await;
    until_failing(&exporter, "no-mfa", 1.0).await;
    simulator.tenant(|tenant| assert!(tenant.set_failing(A, "no-mfa", false)));
    until_failing(&exporter, "no-mfa", 0.0).await;
    assert_eq!(failed_and_resolved(&exporter).await, (0, 1));
    let resolved = events(&exporter, "cii.check.resolved").await;
    assert_eq!(resolved[0]["attributes"]["cii.check.announced"], json!(false));
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_check_resolutions_total{check_id=\"no-mfa\"}"), Some(1.0));
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"no-mfa\"}"), Some(0.0));
}

async fn reload_with_check_ids(exporter: &mut Exporter, old: &str, new: &str) {
    exporter.setup().replace(&format!("check_ids = {old}"), &format!("check_ids = {new}"));
    reload(exporter).await;
}

/// D6 and O1: a filter that is narrowed and widened.
#[tokio::test]
async fn a_filter_hides_checks_and_what_it_shows_again_is_no_news() {
    let simulator = simulator(0).await;
    simulator.tenant(|tenant| {
        for login in [A, B] {
            tenant.add_user(User::new(login, "Somebody"));
        }
        fail(tenant, &[A], "no-mfa");
    });
    let setup = watching(&simulator, &[A, B]).webhook("check_ids = []");
    let mut exporter = setup.start().await;
    until_failing(&exporter, "no-mfa", 1.0).await;
    reload_with_check_ids(&mut exporter, "[]", "[\"other\"]").await;
    let metrics = exporter.metrics().await;
    assert!(!metrics.text.contains("check_id=\"no-mfa\""), "{}", metrics.text);
    assert_eq!(metrics.get(&format!("cii_user_failing_checks{{login=\"{A}\"}}")), Some(0.0));
    assert_eq!(exporter.api("GET", "/checks/no-mfa/users", None).await.0, 404);
    let (_, checks) = exporter.api("GET", "/checks", None).await;
    assert_eq!((&checks["checks"], &checks["failing_people"]), (&json!([]), &json!(0)));
    // Hidden, the one ends and another begins; a delivery is filtered out.
    simulator.tenant(|tenant| {
        fail(tenant, &[B], "no-mfa");
        assert!(tenant.set_failing(A, "no-mfa", false));
    });
    let body = delivery(&simulator, "1", "no-mfa", &[B]);
    assert_eq!(exporter.deliver(&body).await, 200);
    until_asked(&simulator, "getEndUser", 4).await;
    let exporter = exporter.kill().await.start().await;
    assert!(!exporter.metrics().await.text.contains("check_id=\"no-mfa\""));
    let mut exporter = exporter;
    reload_with_check_ids(&mut exporter, "[\"other\"]", "[]").await;
    until_failing(&exporter, "no-mfa", 1.0).await;
    let (_, checks) = exporter.api("GET", "/checks", None).await;
    assert_eq!(checks["failing_people"], json!(1));
    assert_eq!(failed_and_resolved(&exporter).await, (0, 0));
    // The same delivery counts now, and is news.
    assert_eq!(exporter.deliver(&body).await, 200);
    assert_eq!(failed_and_resolved(&exporter).await, (1, 0));
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_webhook_requests_total{result=\"accepted\"}"), Some(1.0));
    assert_eq!(metrics.get("cii_check_failures_total{check_id=\"no-mfa\"}"), Some(1.0));
}

/// A service is not suspected for longer than a day.
const NEARLY_A_DAY: TimeDelta = TimeDelta::hours(23);

/// A service that suddenly does not know half of its users.
#[tokio::test]
async fn many_who_are_unknown_at_once_end_nothing() {
    let logins: Vec<String> = (0..10).map(|user| format!("u{user}@example.com")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let simulator = titled(&logins, &logins).await;
    let exporter = watching(&simulator, &logins).start().await;
    exporter.until_metric(&targets("users", "ok"), 10.0).await;
    let title = simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone());
    until_failing(&exporter, &title, 10.0).await;
    simulator.tenant(|tenant| {
        for login in &logins[..5] {
            tenant.remove_user(login);
        }
    });
    until_logged(&exporter, "WARN", &["does not know many users"]).await;
    until("the job says so", || async {
        let job = super::job(&exporter, "users").await.to_string();
        job.contains("5 of 10 users are newly unknown").then_some(())
    })
    .await;
    // Nobody's grace began: they are new still.
    let exporter = exporter.stop().await.ahead(NEARLY_A_DAY).start().await;
    until_logged(&exporter, "WARN", &["does not know many users", "users=5"]).await;
    until_logged(&exporter, "run ", &["job=\"users\""]).await;
    assert_eq!(failing(&exporter.metrics().await, &title), 10.0);
}

/// The same of a listing, which asks nobody by name.
#[tokio::test]
async fn a_listing_that_lacks_many_ends_nothing() {
    let logins: Vec<String> = (0..10).map(|user| format!("u{user}@example.com")).collect();
    let logins: Vec<&str> = logins.iter().map(String::as_str).collect();
    let simulator = titled(&logins, &logins).await;
    let exporter = listing(&simulator).start().await;
    let title = simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone());
    until_failing(&exporter, &title, 10.0).await;
    simulator.tenant(|tenant| {
        for login in &logins[..5] {
            tenant.remove_user(login);
        }
    });
    until_logged(&exporter, "WARN", &["lacks many users"]).await;
    until("the job says so", || async {
        let job = super::job(&exporter, "tenant").await.to_string();
        job.contains("lacks 5 of 10 known users").then_some(())
    })
    .await;
    until_asked(&simulator, "listEndUsers", 2).await;
    assert_eq!(failing(&exporter.metrics().await, &title), 10.0);
    // Nobody's grace began: they are new still.
    let exporter = exporter.stop().await.ahead(NEARLY_A_DAY).start().await;
    until_logged(&exporter, "WARN", &["lacks many users", "users=5"]).await;
    until_logged(&exporter, "run ", &["job=\"tenant\""]).await;
    assert_eq!(failing(&exporter.metrics().await, &title), 10.0);
}

/// A11 by a listing.
#[tokio::test]
async fn a_check_that_is_renamed_in_a_listing_fails_on() {
    let simulator = titled(&[A, B, C], &[A, B, C]).await;
    let exporter = listing(&simulator).start().await;
    let body = delivery(&simulator, "1", "no-mfa", &[A, B, C]);
    assert_eq!(exporter.deliver(&body).await, 200);
    until_asked(&simulator, "listEndUsers", 3).await;
    simulator.tenant(|tenant| tenant.check_mut("no-mfa").unwrap().title = "MFA Missing".into());
    until_logged(&exporter, "INFO", &["was renamed", "no-mfa", "MFA Missing"]).await;
    until_asked(&simulator, "listEndUsers", 2).await;
    assert_eq!(failed_and_resolved(&exporter).await, (3, 0));
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 3.0);
}

/// A listing that has nobody, in a tenant that had users.
#[tokio::test]
async fn an_empty_listing_of_a_tenant_that_had_users_tells_nothing() {
    let logins = [A, B];
    let simulator = titled(&logins, &logins).await;
    let exporter = listing(&simulator).start().await;
    let title = simulator.tenant(|tenant| tenant.check("no-mfa").unwrap().title.clone());
    until_failing(&exporter, &title, 2.0).await;
    simulator.tenant(|tenant| {
        for login in logins {
            tenant.remove_user(login);
        }
    });
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 0.0).await;
    let job = super::job(&exporter, "tenant").await;
    assert!(job.to_string().contains("lists nobody"), "{job}");
    assert_eq!(failing(&exporter.metrics().await, &title), 2.0);
    assert_eq!(super::listed(&exporter.metrics().await), 2.0, "the figures are the old ones");
}

/// The API lags: an answer of soon after the delivery ends nothing, one of later does.
#[tokio::test]
async fn a_failure_ends_only_by_an_answer_that_knew_of_it() {
    let simulator = simulator(0).await;
    simulator.tenant(|tenant| tenant.add_user(User::new(A, "Somebody")));
    let setup = Setup::new().polling(&simulator, EVERY_SECOND).watch(&format!("users = [{A:?}]"));
    let exporter = setup.variable("CII_EXPORTER_SYNC__SETTLE", "1h").start().await;
    let mut body = Body::new("1", "no-mfa", &[A]).json();
    let published = cii_exporter::clock::now() - TimeDelta::minutes(50);
    body["detail"]["published"] = published.to_rfc3339().into();
    assert_eq!(exporter.deliver(&body).await, 200);
    until_asked(&simulator, "getEndUser", 3).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 1.0);
    let mut old = Body::new("2", "admin-mfa", &[A]).json();
    let published = cii_exporter::clock::now() - TimeDelta::minutes(61);
    old["detail"]["published"] = published.to_rfc3339().into();
    assert_eq!(exporter.deliver(&old).await, 200);
    assert_eq!(failing(&exporter.metrics().await, "admin-mfa"), 0.0, "an answer cleared it");
    exporter.until_logged("cleared every named user").await;
    drop(exporter);
    let wrong = Setup::new().polling(&simulator, NEVER).tables("[sync]\nsettle = \"soon\"\n");
    wrong.write_config();
    let ended = wrong.run(&["check-config"]).await;
    assert_eq!(ended.code, 64);
    assert!(ended.errors.contains("sync.settle") && ended.errors.contains("15m"), "{ended:?}");
}
