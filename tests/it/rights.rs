//! An API client without a right: the job is off, which is said once and raises no storm.

use cii_simulator::{Fault, Kind, Options, Simulator, tenant::User};

use crate::harness::{Exporter, Protocol, Receiver, Setup, attribute, until};

const EVERY_SECOND: &str = "* * * * * *";
const ZOE: &str = "zoe@example.com";
const TABLES: &str = "[sync.tenant]\nschedule = \"* * * * * *\"\n\
    [sync.service]\nschedule = \"* * * * * *\"";

async fn start(refused: &[&str], receiver: &Receiver) -> (Simulator, Exporter) {
    let simulator = Simulator::start(Options { users: 5, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| tenant.add_user(User::new(ZOE, "Zoe")));
    for operation in refused {
        let kind = Kind::RootError("Unauthorized".to_owned());
        simulator.faults().add(Fault::graphql(kind).of(operation));
    }
    let watch = format!("users = [\"{ZOE}\"]\nips = [\"203.0.113.9\"]");
    let setup = Setup::new().polling(&simulator, EVERY_SECOND).watch(&watch).tables(TABLES);
    let exporter = setup.sending(receiver, Protocol::Http).start().await;
    (simulator, exporter)
}

async fn until_state(exporter: &Exporter, name: &str, state: &str) -> serde_json::Value {
    until(&format!("job {name} {state}\n{}", exporter.log()), || async {
        let answer = exporter.api("GET", "/jobs", None).await.1;
        let jobs = answer["jobs"].as_array()?.clone();
        jobs.into_iter().find(|job| job["job"] == name && job["state"] == state)
    })
    .await
}

#[tokio::test]
async fn a_job_without_the_right_it_lives_on_is_off_and_says_so_once() {
    let receiver = Receiver::start().await;
    let refused = ["listEndUsers", "getEndUsersByIp"];
    let (simulator, exporter) = start(&refused, &receiver).await;
    for (name, field) in [("tenant", "listEndUsers"), ("ips", "getEndUsersByIp")] {
        let job = until_state(&exporter, name, "off").await;
        assert_eq!(job["reason"], format!("no right to {field}"));
        // The end of a run is stored before metrics show it.
        let off = format!("cii_sync_off{{task=\"{name}\"}}");
        let metrics = exporter.until_metric(&off, 1.0).await;
        assert_eq!(metrics.get(&format!("cii_sync_up{{task=\"{name}\"}}")), Some(0.0));
    }
    for name in ["users", "service"] {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{name}\"}}"), 1.0).await;
        let off = format!("cii_sync_off{{task=\"{name}\"}}");
        assert_eq!(exporter.metrics().await.get(&off), Some(0.0));
    }
    // Runs go on; the request, the log line and the event do not.
    let asked = simulator.requests().count("getIntegrationsStatus");
    until("more runs", || async {
        (simulator.requests().count("getIntegrationsStatus") >= asked + 4).then_some(())
    })
    .await;
    assert_eq!(simulator.requests().count("listEndUsers"), 1);
    let log = exporter.log();
    assert_eq!(log.lines().filter(|line| line.contains("job is off")).count(), 2, "{log}");
    let off = |event: &&serde_json::Value| {
        attribute(event, "cii.sync.outcome").is_some_and(|outcome| outcome == "off")
    };
    let said = || receiver.received().iter().filter(off).count();
    until("both events", || async { (said() >= 2).then_some(()) }).await;
    exporter.until_metric("cii_otlp_pending_events", 0.0).await;
    assert_eq!(said(), 2);
    let page = exporter.get("/health").await.1;
    assert!(page.contains("no right to listEndUsers"), "{page}");
    let (_, ip) = exporter.api("GET", "/ips/203.0.113.9", None).await;
    assert_eq!(ip["poll"]["reason"], "no right to getEndUsersByIp");
}

#[tokio::test]
async fn of_the_two_questions_about_users_the_one_with_a_right_goes_on() {
    let receiver = Receiver::start().await;
    let (simulator, exporter) = start(&["getEndUser"], &receiver).await;
    let job = until_state(&exporter, "users", "off").await;
    assert_eq!(job["reason"], "no right to getEndUser");
    exporter.until_metric(&format!("cii_user_poll_up{{login=\"{ZOE}\"}}"), 0.0).await;
    // Snapshots count.
    let used = format!("cii_user_used_applications{{login=\"{ZOE}\"}}");
    exporter.until_metric(&used, 0.0).await;
    simulator.tenant(|tenant| {
        tenant.user_mut(ZOE).unwrap().used_applications = vec!["Jira".to_owned()];
    });
    exporter.until_metric(&used, 1.0).await;

    let (simulator, exporter) = start(&["getEndUserState"], &receiver).await;
    until_state(&exporter, "users", "off").await;
    exporter.until_metric(&format!("cii_user_poll_up{{login=\"{ZOE}\"}}"), 0.0).await;
    assert_eq!(exporter.metrics().await.get(&used), None);
    // Failing checks count.
    simulator.tenant(|tenant| tenant.set_failing(ZOE, "no-mfa", true));
    exporter.until_metric(&format!("cii_user_failing_checks{{login=\"{ZOE}\"}}"), 1.0).await;
    simulator.tenant(|tenant| tenant.set_failing(ZOE, "no-mfa", false));
    exporter.until_metric(&format!("cii_user_failing_checks{{login=\"{ZOE}\"}}"), 0.0).await;
}

#[tokio::test]
async fn a_part_of_the_service_without_a_right_is_named_and_the_rest_decides() {
    let receiver = Receiver::start().await;
    let (_simulator, exporter) = start(&["listAdminLogins"], &receiver).await;
    let job = until_state(&exporter, "service", "succeeded").await;
    assert_eq!(job["reason"], "no right to listAdminLogins");
    let both = ["listAdminLogins", "getIntegrationsStatus"];
    let (_simulator, exporter) = start(&both, &receiver).await;
    let job = until_state(&exporter, "service", "off").await;
    assert_eq!(job["reason"], "no right to getIntegrationsStatus, listAdminLogins");
}
