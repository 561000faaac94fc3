//! What a run's success is and says: on `/metrics`, the API, the page and in the log.

use cii_simulator::{Fault, Kind, Options, Simulator, tenant::User};
use serde_json::Value;

use crate::harness::{Exporter, Protocol, Receiver, Setup, alter, attribute, until};

/// Only the run at the start: no schedule rings in these tests.
const NEVER: &str = "0 0 0 1 1 *";
const USERS: [&str; 3] = ["a@example.com", "b@example.com", "c@example.com"];

/// A tenant of which three users are watched.
async fn tenant() -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    for login in USERS {
        simulator.tenant(|tenant| tenant.add_user(User::new(login, "U")));
    }
    let setup = Setup::new().polling(&simulator, NEVER).watch(&format!("users = {USERS:?}"));
    (simulator, setup.api("retries = 0"))
}

fn fails(simulator: &Simulator, operation: &str, error_type: &str) {
    let kind = Kind::RootError(error_type.to_owned());
    simulator.faults().add(Fault::graphql(kind).of(operation));
}

/// A job of `/api/v1/jobs`.
async fn job(exporter: &Exporter, name: &str) -> Value {
    let (status, answer) = exporter.api("GET", "/jobs", None).await;
    assert_eq!(status, 200, "{answer}");
    let jobs = answer["jobs"].as_array().unwrap();
    jobs.iter().find(|job| job["job"] == name).expect(name).clone()
}

async fn until_state(exporter: &Exporter, name: &str, state: &str) -> Value {
    until(&format!("job {name} {state}\n{}", exporter.log()), || async {
        let job = job(exporter, name).await;
        (job["state"] == state).then_some(job)
    })
    .await
}

#[tokio::test]
async fn where_metrics_name_nobody_by_login_the_log_does_not_either() {
    let (simulator, setup) = tenant().await;
    fails(&simulator, "getEndUserState", "Lambda:Unhandled");
    fails(&simulator, "getEndUser", "Lambda:Unhandled");
    let mut setup = setup.tables("[metrics]\nuser_label = \"login\"");
    setup.replace(NEVER, "* * * * * *");
    let mut exporter = setup.start().await;
    let (named, counted) = ("(3 of 3 users: a@example.com,", "(3 of 3 users)");
    until("the names", || async { exporter.log().contains(named).then_some(()) }).await;
    // From a reload on, and from a start.
    exporter.setup().replace("user_label = \"login\"", "user_label = \"id\"");
    exporter.setup().write_config();
    exporter.signal("HUP");
    until("the number", || async { exporter.log().contains(counted).then_some(()) }).await;
    let log = exporter.log();
    assert!(!log[log.find(counted).unwrap()..].contains("@example.com"), "{log}");
    let exporter = exporter.stop().await.start().await;
    until("the number", || async { exporter.log().contains(counted).then_some(()) }).await;
    assert!(!exporter.log().contains("@example.com"), "{}", exporter.log());
}

#[tokio::test]
async fn an_outage_in_answers_of_http_200_is_no_success_and_the_reason_is_said() {
    let (simulator, setup) = tenant().await;
    let receiver = Receiver::start().await;
    fails(&simulator, "getEndUserState", "Lambda:Unhandled");
    fails(&simulator, "getEndUser", "Lambda:Unhandled");
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    let metrics = exporter.until_metric("cii_sync_up{task=\"users\"}", 0.0).await;
    let success = "cii_sync_last_success_timestamp_seconds{task=\"users\"}";
    assert_eq!(metrics.get(success), None);
    for (result, count) in [("ok", 0.0), ("not_found", 0.0), ("failed", 3.0), ("skipped", 0.0)] {
        let series = format!("cii_sync_targets{{result=\"{result}\",task=\"users\"}}");
        assert_eq!(metrics.get(&series), Some(count), "{series}");
    }
    assert!(metrics.series("cii_user_poll_up").is_empty(), "it is no fault of the users'");
    let users = job(&exporter, "users").await;
    let reason = users["reason"].as_str().unwrap();
    assert!(reason.starts_with("Lambda:Unhandled: "), "{reason}");
    let names = "(3 of 3 users: a@example.com, b@example.com, c@example.com)";
    assert!(reason.ends_with(names), "{reason}");
    assert_eq!(
        (&users["state"], &users["asked"], &users["failed"]),
        (&"failed".into(), &3.into(), &3.into())
    );
    assert!(users["last_success_at"].is_null() && users["next_run_at"].is_string(), "{users}");
    let warning = until("the warning", || async {
        let log = exporter.log();
        let is_warning = |line: &&str| line.contains("WARN") && line.contains("run failed");
        log.lines().find(is_warning).map(str::to_owned)
    })
    .await;
    assert!(warning.contains("Lambda:Unhandled") && warning.contains(names), "{warning}");
    let page = exporter.get("/health").await.1;
    assert!(page.contains("Lambda:Unhandled") && page.contains("failing"), "{page}");
    let event = until("the event", || async {
        receiver
            .received()
            .into_iter()
            .find(|event| attribute(event, "cii.sync.job").is_some_and(|job| job == "users"))
    })
    .await;
    assert_eq!(attribute(&event, "cii.sync.outcome").unwrap(), "failed");
    assert_eq!(attribute(&event, "cii.error.message").unwrap(), reason);
    let events = receiver.received();
    let polls = events.iter().filter(|e| attribute(e, "cii.poll.outcome").is_some()).count();
    assert_eq!(polls, 0, "a storm of events about users");

    // The stored state is shown until the first run of the next process ends.
    let setup = exporter.kill().await;
    simulator.faults().clear();
    simulator.faults().add(Fault::graphql(Kind::SlowMillis(6000)));
    let exporter = setup.start().await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get("cii_sync_up{task=\"users\"}"), Some(0.0));
    assert_eq!(job(&exporter, "users").await["reason"], reason);
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    let users = job(&exporter, "users").await;
    assert!(users["reason"].is_null() && users["last_success_at"].is_string(), "{users}");
}

#[tokio::test]
async fn a_minority_without_an_answer_leaves_a_success_that_names_it() {
    let (simulator, setup) = tenant().await;
    let kind = Kind::RootError("Lambda:Unhandled".to_owned());
    simulator.faults().add(Fault::graphql(kind).of("getEndUserState").about(USERS[1]));
    // One user a request, so that the fault strikes nobody else.
    let exporter = setup.api("batch_size = 1").start().await;
    let metrics = exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    assert_eq!(metrics.get("cii_sync_targets{result=\"failed\",task=\"users\"}"), Some(1.0));
    let users = job(&exporter, "users").await;
    assert!(users["reason"].as_str().unwrap().ends_with("(1 of 3 users: b@example.com)"));
    // A passing error of one user in an otherwise good run is the user's.
    let bad = format!("cii_user_poll_up{{login=\"{}\"}}", USERS[1]);
    assert_eq!(exporter.until_metric(&bad, 0.0).await.series("cii_user_poll_up").len(), 3);
    let (_, user) = exporter.api("GET", "/users/b@example.com", None).await;
    assert_eq!(user["poll"]["outcome"], "refused");
    assert_eq!(user["poll"]["errors"][0]["error_type"], "Lambda:Unhandled");
    assert_eq!(user["poll"]["status"], 200);
    let page = exporter.get("/users/b@example.com").await.1;
    assert!(page.contains("Lambda:Unhandled"), "{page}");
    let table = exporter.run(&["watch", "list"]).await.output;
    assert!(table.contains("Lambda:Unhandled"), "{table}");
}

#[tokio::test]
async fn a_service_job_without_an_answer_about_a_part_does_not_succeed() {
    for part in ["getIntegrationsStatus", "listAdminLogins"] {
        let (simulator, setup) = tenant().await;
        fails(&simulator, part, "ValidationError");
        let exporter = setup.start().await;
        let service = until_state(&exporter, "service", "failed").await;
        let reason = service["reason"].as_str().unwrap();
        assert!(reason.contains("ValidationError") && reason.contains(part), "{reason}");
        // The end of a run is stored before metrics show it.
        exporter.until_metric("cii_sync_up{task=\"service\"}", 0.0).await;
    }
}

#[tokio::test]
async fn failing_checks_that_are_refused_show_on_the_poll_and_on_the_job() {
    let (simulator, setup) = tenant().await;
    fails(&simulator, "getEndUser", "ValidationError");
    let exporter = setup.start().await;
    let users = until_state(&exporter, "users", "failed").await;
    assert!(users["reason"].as_str().unwrap().contains("ValidationError"), "{users}");
    for login in USERS {
        let metrics = exporter.metrics().await;
        assert_eq!(metrics.get(&format!("cii_user_poll_up{{login=\"{login}\"}}")), Some(0.0));
        // The snapshot counts all the same.
        let snapshot = format!("cii_user_ip_addresses{{login=\"{login}\"}}");
        assert_eq!(metrics.get(&snapshot), Some(0.0));
    }
    let (_, user) = exporter.api("GET", "/users/a@example.com", None).await;
    assert_eq!(
        (&user["poll"]["outcome"], &user["failing_checks_told"]),
        (&"refused".into(), &false.into())
    );
    assert!(user["snapshot"].is_object() && user["failing_checks_untold_since"].is_string());
}

#[tokio::test]
async fn an_address_that_is_not_found_twice_an_hour_apart_has_no_users() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let ip = simulator.tenant(|tenant| tenant.busiest_addresses()[0].0.clone());
    let setup = Setup::new().polling(&simulator, NEVER).watch(&format!("ips = [\"{ip}\"]"));
    let exporter = setup.start().await;
    let users = format!("cii_ip_users{{ip=\"{ip}\"}}");
    let up = format!("cii_ip_poll_up{{ip=\"{ip}\"}}");
    let before = exporter.until_metric(&up, 1.0).await.get(&users).unwrap();
    assert!(before > 0.0);
    let setup = exporter.stop().await;
    fails(&simulator, "getEndUsersByIp", "NotFound");
    let exporter = setup.start().await;
    let metrics = exporter.until_metric(&up, 0.0).await;
    assert_eq!(metrics.get(&users), Some(before), "once is not enough");
    // "Not found" is an answer. Until the run ends, what the one before it told stands.
    let not_found = "cii_sync_targets{result=\"not_found\",task=\"ips\"}";
    let metrics = exporter.until_metric(not_found, 1.0).await;
    assert_eq!(metrics.get("cii_sync_up{task=\"ips\"}"), Some(1.0));
    // An hour passes.
    let setup = exporter.stop().await;
    let exporter = setup.ahead(chrono::TimeDelta::hours(1)).start().await;
    let metrics = exporter.until_metric(&users, 0.0).await;
    assert_eq!(metrics.get(&up), Some(0.0));
    let (_, answer) = exporter.api("GET", &format!("/ips/{ip}"), None).await;
    assert_eq!(answer["poll"]["outcome"], "not_found");
    assert!(answer["poll"]["reason"].as_str().unwrap().contains("NotFound"), "{answer}");
}

#[tokio::test]
async fn what_the_store_cannot_read_of_one_user_stops_no_other() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let [bad, good] = ["bad@example.com", "good@example.com"];
    simulator.tenant(|tenant| {
        for login in [bad, good] {
            tenant.add_user(User::new(login, "Somebody"));
        }
    });
    let setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .watch(&format!("users = [\"{bad}\", \"{good}\"]"));
    let up = |login: &str| format!("cii_user_poll_up{{login=\"{login}\"}}");
    let exporter = setup.start().await;
    exporter.until_metric(&up(bad), 1.0).await;
    exporter.until_metric(&up(good), 1.0).await;
    let setup = exporter.stop().await;
    let set = |new_ips: i64| {
        format!("UPDATE user_snapshot SET new_ips = {new_ips} WHERE login = '{bad}'")
    };
    alter(&setup.database(), &set(-1));
    let exporter = setup.start().await;
    exporter.until_metric(&up(bad), 0.0).await;
    let metrics = exporter.metrics().await;
    assert_eq!(metrics.get(&up(good)), Some(1.0));
    // The row is mended, and so is the user.
    let setup = exporter.stop().await;
    alter(&setup.database(), &set(0));
    let exporter = setup.start().await;
    exporter.until_metric(&up(bad), 1.0).await;
}
