//! The whole tenant: who fails what, and figures, from a listing that is whole.

use cii_simulator::{Fault, Kind, Oddity, Options, Simulator};

use crate::harness::{Protocol, Receiver, Setup, attribute, names, until};

fn table(schedule: &str) -> String {
    format!("[sync.tenant]\nenabled = true\npage_size = 10\nschedule = \"{schedule}\"")
}

async fn simulator(users: usize) -> Simulator {
    Simulator::start(Options { users, ..Options::default() }).await.unwrap()
}

/// How many users fail a check, as the tenant itself counts.
fn failing(simulator: &Simulator, check: &str) -> f64 {
    let count = simulator.tenant(|tenant| tenant.failing(check).count());
    f64::from(u32::try_from(count).unwrap())
}

/// The tokens of the pages that were asked for, in order.
fn pages(simulator: &Simulator) -> Vec<serde_json::Value> {
    let requests = simulator.requests().last();
    let pages = requests.iter().filter(|request| request.operation == "listEndUsers");
    pages.map(|request| request.variables["pageToken"].clone()).collect()
}

async fn until_failing(exporter: &crate::harness::Exporter, check: &str, count: f64) {
    until(&format!("{count} users who fail {check}\n{}", exporter.log()), || async {
        let metrics = exporter.metrics().await;
        let series = metrics.series("cii_check_failing_users");
        let found = series.iter().find(|(series, _)| series.contains(check));
        (found.map_or(0.0, |(_, value)| *value) == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_listing_shows_the_whole_tenant_without_any_webhook() {
    let simulator = simulator(95).await;
    let receiver = Receiver::start().await;
    simulator.tenant(|tenant| tenant.failing_checks_by_title = true);
    let check = simulator.tenant(|tenant| {
        let most = tenant.checks().max_by_key(|check| tenant.failing(&check.id).count());
        most.unwrap().clone()
    });
    assert!(failing(&simulator, &check.id) > 0.0);
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(&table("* * * * * *"));
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    // Titles: no delivery has told of the check's id yet.
    until_failing(&exporter, &check.title, failing(&simulator, &check.id)).await;
    let metrics = exporter.metrics().await;
    let sum = |name: &str| metrics.series(name).iter().map(|(_, value)| value).sum::<f64>();
    for name in [
        "cii_tenant_users",
        "cii_tenant_users_by_type",
        "cii_tenant_users_by_mfa",
        "cii_tenant_users_by_trust",
    ] {
        assert_eq!(sum(name), 95.0, "{name}");
    }
    assert!(metrics.get("cii_tenant_inactive_users{days=\"90\"}").is_some());
    assert!(metrics.get("cii_tenant_unlinked_devices").is_some());
    assert!(metrics.series("cii_user_failing_checks").is_empty(), "a series for a person");
    assert!(receiver.received().is_empty(), "the first listing is the baseline");

    // Somebody starts, somebody stops.
    let (starts, stops) = simulator.tenant(|tenant| {
        let stops = tenant.failing(&check.id).next().unwrap().login.clone();
        let fails: Vec<_> = tenant.failing(&check.id).map(|user| user.login.clone()).collect();
        let starts = tenant.logins().into_iter().find(|login| !fails.contains(login)).unwrap();
        tenant.set_failing(&starts, &check.id, true);
        tenant.set_failing(&stops, &check.id, false);
        (starts, stops)
    });
    let received = receiver.until_received(2).await;
    let mut found = names(&received);
    found.sort_unstable();
    assert_eq!(found, ["cii.check.failed", "cii.check.resolved"]);
    for record in &received {
        let resolved = record["record"]["eventName"] == "cii.check.resolved";
        let login = if resolved { &stops } else { &starts };
        assert_eq!(attribute(record, "user.name").unwrap(), login.as_str());
    }
}

#[tokio::test]
async fn a_listing_that_breaks_shows_no_half_and_goes_on_where_it_broke() {
    let simulator = simulator(95).await;
    let setup = Setup::new()
        .polling(&simulator, "0 0 0 1 1 *")
        .api("retries = 0")
        .tables(&table("* * * * * *"));
    // The fourth page never comes.
    simulator.faults().add(Fault::graphql(Kind::Cut).of("listEndUsers").about("page-1e"));
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 0.0).await;
    let metrics = exporter.metrics().await;
    assert!(metrics.series("cii_tenant_users").is_empty(), "half a tenant is shown");
    assert!(metrics.series("cii_check_failing_users").is_empty(), "half a tenant is shown");

    // It is resumed by another process, too.
    let setup = exporter.kill().await;
    let before = simulator.requests().count("listEndUsers");
    assert_eq!(pages(&simulator).iter().filter(|token| token.is_null()).count(), 1);
    simulator.faults().clear();
    let exporter = setup.start().await;
    until("all users", || async {
        let metrics = exporter.metrics().await;
        let users: f64 = metrics.series("cii_tenant_users").iter().map(|(_, n)| n).sum();
        (users == 95.0).then_some(())
    })
    .await;
    assert!(simulator.requests().count("listEndUsers") > before);
    assert_eq!(pages(&simulator)[before], "page-1e");
}

#[tokio::test]
async fn a_user_who_vanishes_from_the_tenant_keeps_failing_for_a_while() {
    let simulator = simulator(20).await;
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(&table("* * * * * *"));
    let exporter = setup.start().await;
    simulator.tenant(|tenant| {
        let first = tenant.logins()[0].clone();
        tenant.set_failing(&first, "no-mfa", true);
    });
    let count = failing(&simulator, "no-mfa");
    until_failing(&exporter, "no-mfa", count).await;
    let runs = simulator.requests().count("listEndUsers");
    simulator.tenant(|tenant| {
        let first = tenant.logins()[0].clone();
        tenant.remove_user(&first)
    });
    until("two more listings", || async {
        (simulator.requests().count("listEndUsers") >= runs + 6).then_some(())
    })
    .await;
    until_failing(&exporter, "no-mfa", count).await;
}

#[tokio::test]
async fn the_tenant_is_listed_by_default_and_not_again_at_the_next_start() {
    let simulator = simulator(40).await;
    let check = simulator.tenant(|tenant| {
        let most = tenant.checks().max_by_key(|check| tenant.failing(&check.id).count());
        most.unwrap().clone()
    });
    let exporter = Setup::new().polling(&simulator, "0 0 0 1 1 *").listing().start().await;
    until_failing(&exporter, &check.id, failing(&simulator, &check.id)).await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    let listed = simulator.requests().count("listEndUsers");
    let asked = simulator.requests().count("getIntegrationsStatus");
    let exporter = exporter.stop().await.start().await;
    until("another job's run", || async {
        (simulator.requests().count("getIntegrationsStatus") > asked).then_some(())
    })
    .await;
    assert_eq!(simulator.requests().count("listEndUsers"), listed, "it was listed a moment ago");
    assert_eq!(exporter.metrics().await.get("cii_sync_up{task=\"tenant\"}"), Some(1.0));
    let exporter = exporter.stop().await.ahead(chrono::TimeDelta::hours(6)).start().await;
    until("a listing after 6 hours", || async {
        (simulator.requests().count("listEndUsers") > listed).then_some(())
    })
    .await;
    drop(exporter);
}

#[tokio::test]
async fn figures_of_a_listing_that_is_switched_off_are_gone() {
    let simulator = simulator(20).await;
    let exporter = Setup::new().polling(&simulator, "0 0 0 1 1 *").listing().start().await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    assert!(!exporter.metrics().await.series("cii_tenant_users").is_empty());
    exporter.until_metric("cii_sync_up{task=\"service\"}", 1.0).await;
    assert!(exporter.metrics().await.get("cii_admins").is_some());
    let mut setup = exporter.stop().await;
    let off = "[sync.tenant]\nenabled = false\n[sync.service]\nenabled = false\n[sync.users]";
    setup.replace("[sync.users]", off);
    let exporter = setup.start().await;
    let metrics = exporter.metrics().await;
    for name in
        ["cii_tenant_users", "cii_tenant_inactive_users", "cii_admins", "cii_integration_up"]
    {
        assert!(metrics.series(name).is_empty(), "{name}");
    }
    assert_eq!(metrics.get("cii_sync_up{task=\"tenant\"}"), None);
}

#[tokio::test]
async fn without_the_api_what_polls_told_is_gone_and_what_deliveries_tell_stays() {
    let simulator = simulator(6).await;
    let login = simulator.tenant(|tenant| tenant.logins().first().unwrap().clone());
    let address = "203.0.113.7";
    let watch = format!("users = [{login:?}]\nips = [{address:?}]");
    let exporter = Setup::new().polling(&simulator, "* * * * * *").watch(&watch).start().await;
    exporter.until_metric(&format!("cii_user_poll_up{{login={login:?}}}"), 1.0).await;
    exporter.until_metric(&format!("cii_ip_poll_up{{ip={address:?}}}"), 1.0).await;
    assert!(!exporter.metrics().await.series("cii_user_info").is_empty());
    let setup = exporter.stop().await;
    let exporter = setup.without_tables().start().await;
    let body = crate::harness::Body::new("1", "no-mfa", &[login.as_str()]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    let metrics = exporter.metrics().await;
    for name in [
        "cii_user_info",
        "cii_user_ip_addresses",
        "cii_user_new_ips_total",
        "cii_user_observed_timestamp_seconds",
        "cii_user_poll_up",
        "cii_application_used_users",
        "cii_application_unused_users",
        "cii_ip_users",
        "cii_ip_poll_up",
        "cii_ip_observed_timestamp_seconds",
    ] {
        assert!(metrics.series(name).is_empty(), "{name}\n{}", metrics.text);
    }
    let failing = metrics.series("cii_user_failing_checks");
    assert!(failing.iter().any(|(_, count)| *count > 0.0), "{failing:?}");
    let (_, page) = exporter.get(&format!("/users/{login}")).await;
    assert!(page.contains("there is no [api]"), "{page}");
}

#[tokio::test]
async fn page_tokens_in_a_circle_end_the_listing_and_the_next_one_begins_anew() {
    let simulator = simulator(95).await;
    simulator.faults().add(Fault::graphql(Kind::PageCircle(3)).of("listEndUsers"));
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(&table("* * * * * *"));
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 0.0).await;
    let jobs = exporter.api("GET", "/jobs", None).await.1.to_string();
    assert!(jobs.contains("circle"), "{jobs}");
    assert!(exporter.metrics().await.series("cii_tenant_users").is_empty());
    simulator.faults().clear();
    until("all users", || async {
        let metrics = exporter.metrics().await;
        let users: f64 = metrics.series("cii_tenant_users").iter().map(|(_, n)| n).sum();
        (users == 95.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_counted_and_who_is_absent_is_asked_about_by_name() {
    let simulator = simulator(30).await;
    let login = simulator.tenant(|tenant| {
        let first = tenant.logins()[0].clone();
        tenant.set_failing(&first, "no-mfa", true);
        first
    });
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(&table("* * * * * *"));
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"tenant\"}", 1.0).await;
    let count = failing(&simulator, "no-mfa");
    until_failing(&exporter, "no-mfa", count).await;
    // The user's own row becomes unreadable, and a row is null.
    let asked = simulator.requests().count("getEndUser");
    let odd = |index, oddity| Fault::graphql(Kind::OddRow(index, oddity)).of("listEndUsers");
    simulator.faults().add(odd(0, Oddity::EmptyLogin));
    simulator.faults().add(odd(3, Oddity::Null));
    let skipped = "cii_sync_targets{result=\"skipped\",task=\"tenant\"}";
    until("skipped rows", || async {
        (exporter.metrics().await.get(skipped)? >= 2.0).then_some(())
    })
    .await;
    assert_eq!(exporter.metrics().await.get("cii_sync_up{task=\"tenant\"}"), Some(1.0));
    until("a question by name", || async {
        (simulator.requests().count("getEndUser") > asked).then_some(())
    })
    .await;
    until_failing(&exporter, "no-mfa", count).await;
    // The listing says nothing about the user any more; the user's own answer does.
    simulator.tenant(|tenant| tenant.set_failing(&login, "no-mfa", false));
    until_failing(&exporter, "no-mfa", count - 1.0).await;
}

#[tokio::test]
async fn a_listing_that_tells_nobody_s_failing_checks_is_no_success() {
    let simulator = simulator(20).await;
    simulator.faults().add(Fault::graphql(Kind::null("failingChecks")).of("listEndUsers"));
    let setup = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(&table("0 0 0 1 1 *"));
    let exporter = setup.start().await;
    let metrics = exporter.until_metric("cii_sync_up{task=\"tenant\"}", 0.0).await;
    assert!(!metrics.series("cii_tenant_users").is_empty(), "figures count");
    assert_eq!(metrics.get("cii_tenant_listing_complete"), Some(0.0));
    let jobs = exporter.api("GET", "/jobs", None).await.1.to_string();
    assert!(jobs.contains("failures cannot end"), "{jobs}");
}
