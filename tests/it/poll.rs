//! Watched users and addresses are asked about, and what changed comes out.

use cii_simulator::{
    Fault, Kind, Options, Simulator,
    tenant::{IpAddress, User},
};

use crate::harness::{Body, Protocol, Receiver, Setup, attribute, names, until};

const EVERY_SECOND: &str = "* * * * * *";
const ZOE: &str = "zoe@example.com";
const PLACE: &str = "203.0.113.99";

/// A tenant with one user of whom everything is known, and the daemon's watch on
/// that user and one address.
async fn tenant() -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 10, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| {
        let mut zoe = User::new(ZOE, "Zoe Example");
        zoe.ip_addresses = vec![IpAddress::new("198.51.100.1"), IpAddress::new(PLACE)];
        zoe.unused_applications = vec!["Jira".to_owned(), "Miro".to_owned()];
        zoe.used_applications = vec!["Slack".to_owned()];
        zoe.used_factors = vec!["PUSH".to_owned()];
        tenant.add_user(zoe);
    });
    let watch = format!("users = [\"{ZOE}\"]\nips = [\"{PLACE}\"]");
    let setup = Setup::new().polling(&simulator, EVERY_SECOND).watch(&watch);
    (simulator, setup)
}

fn of_zoe(metric: &str) -> String {
    format!("{metric}{{login=\"{ZOE}\"}}")
}

#[tokio::test]
async fn the_first_snapshot_is_the_baseline_and_every_change_after_it_is_an_event() {
    let (simulator, setup) = tenant().await;
    let receiver = Receiver::start().await;
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    exporter.until_metric(&format!("cii_ip_users{{ip=\"{PLACE}\"}}"), 1.0).await;
    let metrics = exporter.until_metric(&of_zoe("cii_user_unused_applications"), 2.0).await;
    assert_eq!(metrics.get(&of_zoe("cii_user_used_applications")), Some(1.0));
    assert_eq!(metrics.get(&of_zoe("cii_user_ip_addresses")), Some(2.0));
    assert_eq!(metrics.get(&of_zoe("cii_user_new_ips_total")), Some(0.0));
    assert_eq!(metrics.get(&of_zoe("cii_user_last_new_ip_timestamp_seconds")), None);
    let info = format!("cii_user_info{{login=\"{ZOE}\",status=\"ACTIVE\",user_type=\"INTERNAL\"}}");
    assert_eq!(metrics.get(&info), Some(1.0));
    let jira = "cii_application_unused_users{application=\"Jira\"}";
    assert_eq!(metrics.get(jira), Some(1.0));
    assert_eq!(metrics.get(&format!("cii_ip_new_users_total{{ip=\"{PLACE}\"}}")), Some(0.0));
    assert!(receiver.received().is_empty(), "a baseline is no news");

    simulator.tenant(|tenant| {
        let zoe = tenant.user_mut(ZOE).unwrap();
        zoe.ip_addresses[0] = IpAddress::new("2001:DB8:0:0::7");
        zoe.unused_applications = vec!["Slack".to_owned(), "Miro".to_owned()];
        zoe.used_applications = vec!["Jira".to_owned()];
        zoe.used_factors = vec!["TOTP".to_owned()];
        zoe.status_text = Some("SUSPENDED".to_owned());
        let mut visitor = User::new("visitor@example.com", "Visitor");
        visitor.ip_addresses = vec![IpAddress::new(PLACE)];
        tenant.add_user(visitor);
    });
    let received = until("all of the changes", || async {
        let received = receiver.received();
        (received.len() >= 7).then_some(received)
    })
    .await;
    let mut found = names(&received);
    found.sort_unstable();
    let expected = [
        "cii.ip.user.new",
        "cii.user.application.unused",
        "cii.user.application.used",
        "cii.user.factors.changed",
        "cii.user.ip.gone",
        "cii.user.ip.new",
        "cii.user.status.changed",
    ];
    assert_eq!(found, expected);
    let new_ip = received.iter().find(|r| r["record"]["eventName"] == "cii.user.ip.new").unwrap();
    assert_eq!(attribute(new_ip, "client.address").unwrap(), "2001:db8::7");
    assert_eq!(attribute(new_ip, "user.full_name").unwrap(), "Zoe Example");
    let metrics = exporter.until_metric(&of_zoe("cii_user_new_ips_total"), 1.0).await;
    assert!(metrics.get(&of_zoe("cii_user_last_new_ip_timestamp_seconds")).is_some());
    exporter.until_metric(&format!("cii_ip_new_users_total{{ip=\"{PLACE}\"}}"), 1.0).await;

    // All of it is there after a kill, before the first poll. No answer comes between the two scrapes:
    // a run that failed began after the last one.
    simulator.faults().add(Fault::graphql(Kind::Status(503, None)));
    for job in ["users", "ips"] {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{job}\"}}"), 0.0).await;
    }
    let before = exporter.metrics().await;
    let exporter = exporter.kill().await.start().await;
    let after = exporter.metrics().await;
    assert_eq!(after.of_tenant(), before.of_tenant());
}

#[tokio::test]
async fn users_named_by_a_webhook_are_asked_about_from_the_next_run_on() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.tables("[metrics]\nuser_series = \"all\"").start().await;
    simulator.tenant(|tenant| tenant.add_user(User::new("new@example.com", "New")));
    let body = Body::new("1", "no-mfa", &["new@example.com"]);
    assert_eq!(exporter.deliver(&body.json()).await, 200);
    exporter.until_metric("cii_user_new_ips_total{login=\"new@example.com\"}", 0.0).await;
}

#[tokio::test]
async fn a_token_is_used_again_and_replaced_once_when_refused() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.start().await;
    until("three runs", || async {
        (simulator.requests().count("getEndUserState") >= 3).then_some(())
    })
    .await;
    assert_eq!(simulator.requests().count("token"), 1);
    simulator.revoke_tokens();
    until("a second token", || async { (simulator.requests().count("token") == 2).then_some(()) })
        .await;
    let unauthorized = until("the refusal on /metrics", || async {
        let metrics = exporter.metrics().await;
        let refused: f64 = metrics
            .series("cii_api_requests_total")
            .iter()
            .filter(|(series, _)| series.contains("unauthorized"))
            .map(|(_, count)| count)
            .sum();
        (refused > 0.0).then_some(refused)
    })
    .await;
    assert!(unauthorized >= 1.0);
    let series = "cii_sync_targets{result=\"failed\",task=\"users\"}";
    exporter.until_metric(series, 0.0).await;
}

#[tokio::test]
async fn what_an_answer_fails_to_tell_changes_nothing_and_the_rest_is_used() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 2.0).await;
    let fault = Fault::graphql(Kind::FieldError("ipAddresses".to_owned())).of("getEndUserState");
    simulator.faults().add(fault);
    simulator.tenant(|tenant| tenant.user_mut(ZOE).unwrap().unused_applications.clear());
    // The answer that was under way can have the change, and not the fault.
    let partial = "cii_api_requests_total{operation=\"getEndUserState\",result=\"partial\"}";
    until("a partial answer", || async {
        (exporter.metrics().await.get(partial)? >= 1.0).then_some(())
    })
    .await;
    let metrics = exporter.until_metric(&of_zoe("cii_user_unused_applications"), 0.0).await;
    assert_eq!(metrics.get(&of_zoe("cii_user_ip_addresses")), Some(2.0));
}

#[tokio::test]
async fn whatever_the_service_answers_the_numbers_stay_and_come_back_to_life() {
    let (simulator, mut setup) = tenant().await;
    setup.replace("timeout_seconds = 20", "timeout_seconds = 2");
    let exporter = setup.start().await;
    let before = exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 2.0).await;
    for (kind, result) in [
        (Kind::Status(500, None), "server_error"),
        (Kind::Status(429, Some(1)), "throttled"),
        (Kind::HtmlPage, "malformed"),
        (Kind::MalformedJson, "malformed"),
        (Kind::EmptyBody, "malformed"),
        (Kind::Cut, "connect_error"),
        (Kind::RootError("InternalFailure".to_owned()), "graphql_error"),
        (Kind::Hang, "timeout"),
    ] {
        let series =
            format!("cii_api_requests_total{{operation=\"getEndUserState\",result=\"{result}\"}}");
        let so_far = exporter.metrics().await.get(&series).unwrap();
        simulator.faults().add(Fault::graphql(kind.clone()).of("getEndUserState"));
        until(&format!("{kind:?} on /metrics"), || async {
            (exporter.metrics().await.get(&series)? > so_far).then_some(())
        })
        .await;
        simulator.faults().clear();
    }
    let after = exporter.metrics().await;
    assert_eq!(
        after.get(&of_zoe("cii_user_unused_applications")),
        before.get(&of_zoe("cii_user_unused_applications"))
    );
    simulator.tenant(|tenant| tenant.user_mut(ZOE).unwrap().unused_applications.clear());
    exporter.until_metric(&of_zoe("cii_user_unused_applications"), 0.0).await;
}

#[tokio::test]
async fn all_pages_of_an_address_are_read_and_a_broken_page_shows_no_half() {
    let (simulator, setup) = tenant().await;
    let add = |range: std::ops::Range<u32>| {
        simulator.tenant(|tenant| {
            for number in range {
                let mut user = User::new(&format!("u{number}@example.com"), "U");
                user.ip_addresses = vec![IpAddress::new(PLACE)];
                tenant.add_user(user);
            }
        });
    };
    add(0..1199);
    let exporter = setup.start().await;
    let series = format!("cii_ip_users{{ip=\"{PLACE}\"}}");
    // Pages of 500: three of them.
    exporter.until_metric(&series, 1200.0).await;
    let pages = simulator.requests().count("getEndUsersByIp");
    assert!(pages >= 3, "{pages}");
    // From now on every answer breaks off: the old number stays.
    simulator.faults().add(Fault::graphql(Kind::Cut).of("getEndUsersByIp"));
    add(1199..1300);
    until("a failed run", || async {
        let metrics = exporter.metrics().await;
        (metrics.get("cii_sync_targets{result=\"failed\",task=\"ips\"}")? > 0.0).then_some(())
    })
    .await;
    assert_eq!(exporter.metrics().await.get(&series), Some(1200.0));
}

#[tokio::test]
async fn a_user_who_no_longer_fails_is_resolved_and_one_who_fails_again_is_news() {
    let (simulator, setup) = tenant().await;
    let receiver = Receiver::start().await;
    let exporter = setup.sending(&receiver, Protocol::Grpc).start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 2.0).await;
    let mut delivery = Body::new("1", "no-mfa", &[ZOE]).json();
    delivery["detail"]["published"] = cii_exporter::clock::now().to_rfc3339().into();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    let labels = "{check_id=\"no-mfa\",severity=\"high\"}";
    exporter.until_metric("cii_check_resolutions_total{check_id=\"no-mfa\"}", 1.0).await;
    exporter.until_metric(&format!("cii_check_failing_users{labels}"), 0.0).await;
    simulator.tenant(|tenant| tenant.set_failing(ZOE, "no-mfa", true));
    exporter.until_metric("cii_check_failures_total{check_id=\"no-mfa\"}", 2.0).await;
    let received = receiver.until_received(4).await;
    let expected =
        ["cii.check.delivery", "cii.check.failed", "cii.check.resolved", "cii.check.failed"];
    assert_eq!(names(&received), expected);
    assert_eq!(attribute(&received[2], "cii.check.resolution").unwrap(), "no_longer_failing");
}

#[tokio::test]
async fn a_delivery_of_days_ago_opens_only_what_an_answer_lists() {
    let (simulator, setup) = tenant().await;
    let exporter = setup.start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 2.0).await;
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    let old = |id: &str| Body::new(id, "no-mfa", &[ZOE]).json_of("2024-07-24T14:25:28.589Z");
    assert_eq!(exporter.deliver(&old("1")).await, 200);
    assert_eq!(exporter.metrics().await.get(failing), Some(0.0));
    until("the reason", || async {
        let log = exporter.log();
        (log.contains("48 hours") || log.contains("cleared")).then_some(())
    })
    .await;
    simulator.tenant(|tenant| tenant.set_failing(ZOE, "no-mfa", true));
    exporter.until_metric(failing, 1.0).await;
    // Without an API, nothing else could tell.
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&old("2")).await, 200);
    assert_eq!(exporter.metrics().await.get(failing), Some(1.0));
}
