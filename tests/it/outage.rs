//! The service goes down and comes back; one bad user among many.

use std::fmt::Write as _;

use cii_simulator::{Fault, Kind, Options, Simulator, tenant::User};

use crate::harness::{Protocol, Receiver, Setup, attribute, names, until};

const NEVER: &str = "0 0 0 1 1 *";

/// A tenant of which these users are watched.
async fn tenant(users: usize) -> (Simulator, Setup) {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let mut list = String::new();
    for number in 0..users {
        let login = format!("u{number:02}@example.com");
        simulator.tenant(|tenant| tenant.add_user(User::new(&login, "U")));
        let _ = write!(list, "\"{login}\", ");
    }
    let watch = format!("users = [{list}]");
    let setup = Setup::new().polling(&simulator, NEVER).watch(&watch);
    (simulator, setup)
}

#[tokio::test]
async fn many_users_share_a_request_and_one_bad_user_fails_alone() {
    let (simulator, setup) = tenant(25).await;
    simulator.tenant(|tenant| tenant.remove_user("u07@example.com"));
    let receiver = Receiver::start().await;
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    let ok = "cii_sync_targets{result=\"ok\",task=\"users\"}";
    exporter.until_metric(ok, 24.0).await;
    let metrics = exporter.until_metric("cii_user_poll_up{login=\"u07@example.com\"}", 0.0).await;
    assert_eq!(metrics.get("cii_user_poll_up{login=\"u08@example.com\"}"), Some(1.0));
    assert_eq!(metrics.get("cii_sync_up{task=\"users\"}"), Some(1.0));
    // Three batches, and the bad one's batch once more.
    let requests = "cii_api_requests_total{operation=\"getEndUserState\",result=";
    assert_eq!(metrics.get(&format!("{requests}\"ok\"}}")), Some(3.0));
    assert_eq!(metrics.get(&format!("{requests}\"graphql_error\"}}")), Some(1.0));
    let received = receiver.until_received(1).await;
    assert_eq!(names(&received), ["cii.poll.outcome.changed"]);
    assert_eq!(attribute(&received[0], "cii.poll.outcome").unwrap(), "not_found");
}

#[tokio::test]
async fn a_service_that_comes_back_is_found_by_a_ping_and_asked_at_once() {
    let (simulator, setup) = tenant(3).await;
    let receiver = Receiver::start().await;
    simulator.faults().add(Fault::graphql(Kind::Status(503, None)));
    let exporter = setup.sending(&receiver, Protocol::Http).start().await;
    let metrics = exporter.until_metric("cii_api_circuit_open", 1.0).await;
    assert!(metrics.get("cii_api_retries_total{operation=\"getEndUserState\"}").unwrap() >= 1.0);
    until("pings", || async { (simulator.requests().count("ping") >= 1).then_some(()) }).await;
    let asked = simulator.requests().count("getEndUserState");
    simulator.faults().clear();
    // No schedule rings in this test: the ping's answer does.
    exporter.until_metric("cii_user_poll_up{login=\"u00@example.com\"}", 1.0).await;
    exporter.until_metric("cii_api_circuit_open", 0.0).await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    assert!(simulator.requests().count("getEndUserState") > asked);
    let received = until("both changes of the job", || async {
        let received = receiver.received();
        let of_users = |record: &&serde_json::Value| {
            attribute(record, "cii.sync.job").is_some_and(|job| job == "users")
        };
        let outcomes: Vec<_> = received
            .iter()
            .filter(of_users)
            .map(|record| attribute(record, "cii.sync.outcome").unwrap())
            .collect();
        (outcomes.len() == 2).then_some(outcomes)
    })
    .await;
    assert_eq!(received, ["failed", "succeeded"]);
}

#[tokio::test]
async fn a_run_missed_while_nothing_ran_is_made_up_once_at_the_start() {
    let (simulator, setup) = tenant(1).await;
    let exporter = setup.start().await;
    exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    let mut setup = exporter.stop().await;
    let after_first = simulator.requests().count("getEndUserState");
    // From now on the start alone is no reason to ask; a moment that passed is.
    let moment = cii_exporter::clock::now() + chrono::TimeDelta::seconds(2);
    let schedule = moment.format("%-S %-M %-H %-d %-m *");
    let old = format!("[sync.users]\nschedule = \"{NEVER}\"");
    setup.replace(&old, &format!("[sync.users]\non_start = false\nschedule = \"{schedule}\""));
    until("the moment", || async { (cii_exporter::clock::now() > moment).then_some(()) }).await;
    let exporter = setup.start().await;
    until("the run that was missed", || async {
        (simulator.requests().count("getEndUserState") > after_first).then_some(())
    })
    .await;
    drop(exporter);
}
