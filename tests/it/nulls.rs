//! Lists that are null without an error: none, or not told.

use cii_simulator::{
    Fault, Kind, Options, Simulator,
    tenant::{IpAddress, User},
};
use serde_json::Value;

use crate::harness::{Body, Exporter, Protocol, Receiver, Setup, names, until};

const NEVER: &str = "0 0 0 1 1 *";
const EVERY_SECOND: &str = "* * * * * *";
const ZOE: &str = "zoe@example.com";
const BOB: &str = "bob@example.com";

/// Two watched users, each at two addresses.
async fn tenant(schedule: &str) -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    for login in [ZOE, BOB] {
        let mut user = User::new(login, "U");
        user.ip_addresses = vec![IpAddress::new("198.51.100.1"), IpAddress::new("203.0.113.9")];
        user.used_applications = vec!["Slack".to_owned()];
        simulator.tenant(|tenant| tenant.add_user(user));
    }
    let watch = format!("users = [\"{ZOE}\", \"{BOB}\"]");
    // One user a request, so that a fault about one strikes nobody else.
    let setup = Setup::new().polling(&simulator, schedule).watch(&watch).api("batch_size = 1");
    (simulator, setup)
}

fn of(metric: &str, login: &str) -> String {
    format!("{metric}{{login=\"{login}\"}}")
}

async fn user(exporter: &Exporter, login: &str) -> Value {
    exporter.api("GET", &format!("/users/{login}"), None).await.1
}

async fn job(exporter: &Exporter, name: &str) -> Value {
    let jobs = exporter.api("GET", "/jobs", None).await.1;
    let jobs = jobs["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == name).unwrap().clone()
}

/// Waits until so many more runs of the users' job have asked about a user.
async fn more_polls(simulator: &Simulator, polls: usize) {
    let wanted = simulator.requests().count("getEndUserState") + 2 * polls;
    until("more polls", || async {
        (simulator.requests().count("getEndUserState") >= wanted).then_some(())
    })
    .await;
}

#[tokio::test]
async fn failing_checks_that_are_null_for_everybody_refuse_the_polls_and_the_job_says_so() {
    let (simulator, setup) = tenant(NEVER).await;
    simulator.faults().add(Fault::graphql(Kind::null("failingChecks")).of("getEndUser"));
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 0.0).await;
    for login in [ZOE, BOB] {
        let metrics = exporter.until_metric(&of("cii_user_poll_up", login), 0.0).await;
        assert_eq!(metrics.get(&of("cii_user_ip_addresses", login)), Some(2.0));
        let user = user(&exporter, login).await;
        assert_eq!(
            (&user["failing_checks_told"], &user["poll"]["outcome"]),
            (&false.into(), &"refused".into())
        );
        assert!(user["failing_checks_untold_since"].is_string(), "{user}");
    }
    let expected = "getEndUser: failingChecks is null for every user; failures cannot end";
    assert_eq!(job(&exporter, "users").await["reason"], expected);
    let page = exporter.get(&format!("/users/{ZOE}")).await.1;
    assert!(page.contains(expected), "{page}");
    // The list of watched users counts nothing where nothing was told.
    let page = exporter.get("/watched").await.1;
    assert_eq!(page.matches("not told").count(), 2, "{page}");
}

#[tokio::test]
async fn failing_checks_that_are_null_for_one_user_are_untold_for_that_user_only() {
    let (simulator, setup) = tenant(EVERY_SECOND).await;
    let fault = Fault::graphql(Kind::null("failingChecks")).of("getEndUser").about(ZOE);
    simulator.faults().add(fault);
    let exporter = setup.start().await;
    let labels = "{check_id=\"no-mfa\",severity=\"high\"}";
    let mut delivery = Body::new("1", "no-mfa", &[ZOE]).json();
    delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    more_polls(&simulator, 3).await;
    let metrics = exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    assert_eq!(metrics.get(&format!("cii_check_failing_users{labels}")), Some(1.0));
    assert_eq!(metrics.get(&of("cii_user_poll_up", ZOE)), Some(1.0));
    let zoe = user(&exporter, ZOE).await;
    assert_eq!(zoe["failing_checks_told"], false);
    assert_eq!(zoe["untold_lists"][0]["field"], "failingChecks");
    assert_eq!(user(&exporter, BOB).await["failing_checks_told"], true);
    // A list ends it.
    simulator.faults().clear();
    exporter.until_metric(&format!("cii_check_failing_users{labels}"), 0.0).await;
    assert_eq!(user(&exporter, ZOE).await["failing_checks_told"], true);
}

#[tokio::test]
async fn a_list_that_is_null_for_a_while_changes_nothing() {
    let (simulator, setup) = tenant(EVERY_SECOND).await;
    let receiver = Receiver::start().await;
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    exporter.until_metric(&of("cii_user_ip_addresses", ZOE), 2.0).await;
    for kind in [Kind::null("ipAddresses"), Kind::FieldError("ipAddresses".to_owned())] {
        simulator.faults().add(Fault::graphql(kind).of("getEndUserState").about(ZOE));
        more_polls(&simulator, 2).await;
        assert_eq!(exporter.metrics().await.get(&of("cii_user_ip_addresses", ZOE)), Some(2.0));
        simulator.faults().clear();
        more_polls(&simulator, 2).await;
    }
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&of("cii_user_ip_addresses", ZOE)), Some(2.0));
    assert_eq!(metrics.get(&of("cii_user_new_ips_total", ZOE)), Some(0.0));
    let received = receiver.received();
    assert!(!names(&received).iter().any(|name| name.contains(".ip.")), "{received:?}");
}

#[tokio::test]
async fn a_null_means_none_after_a_day_in_which_others_were_given_lists() {
    let (simulator, setup) = tenant(EVERY_SECOND).await;
    let fault = Fault::graphql(Kind::null("ipAddresses")).of("getEndUserState").about(ZOE);
    let exporter = setup.start().await;
    exporter.until_metric(&of("cii_user_ip_addresses", ZOE), 2.0).await;
    simulator.faults().add(fault);
    until("the null on the API", || async {
        let zoe = user(&exporter, ZOE).await;
        (zoe["untold_lists"][0]["field"] == "ipAddresses").then_some(())
    })
    .await;
    assert_eq!(exporter.metrics().await.get(&of("cii_user_ip_addresses", ZOE)), Some(2.0));
    // A day passes.
    let exporter = exporter.stop().await.ahead(chrono::TimeDelta::hours(24)).start().await;
    exporter.until_metric(&of("cii_user_ip_addresses", ZOE), 0.0).await;
    assert_eq!(exporter.metrics().await.get(&of("cii_user_ip_addresses", BOB)), Some(2.0));
}

#[tokio::test]
async fn the_operator_can_say_that_null_means_none() {
    let (simulator, setup) = tenant(NEVER).await;
    simulator.faults().add(Fault::graphql(Kind::null("ipAddresses")).of("getEndUserState"));
    let exporter = setup.api("null_lists = \"empty\"").start().await;
    exporter.until_metric(&of("cii_user_ip_addresses", ZOE), 0.0).await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
}

#[tokio::test]
async fn applications_are_followed_in_the_list_that_is_told() {
    let (simulator, setup) = tenant(EVERY_SECOND).await;
    let kind = Kind::FieldError("unusedApplications".to_owned());
    simulator.faults().add(Fault::graphql(kind).of("getEndUserState"));
    let exporter = setup.start().await;
    let used = of("cii_user_used_applications", ZOE);
    let metrics = exporter.until_metric(&used, 1.0).await;
    assert_eq!(metrics.get(&of("cii_user_unused_applications", ZOE)), None);
    simulator.tenant(|tenant| {
        tenant.user_mut(ZOE).unwrap().used_applications =
            ["Slack", "Jira", "Miro"].map(str::to_owned).to_vec();
    });
    exporter.until_metric(&used, 3.0).await;
    exporter.until_metric("cii_application_used_users{application=\"Jira\"}", 1.0).await;
    // And back, although nobody told what became of the other two.
    simulator.tenant(|tenant| {
        tenant.user_mut(ZOE).unwrap().used_applications = vec!["Slack".to_owned()];
    });
    exporter.until_metric(&used, 1.0).await;
    until("no series of an application that nobody has", || async {
        let series = "cii_application_used_users{application=\"Jira\"}";
        exporter.metrics().await.get(series).is_none().then_some(())
    })
    .await;
}
