//! The log of a daemon's life.

use cii_simulator::{Fault, Kind, Options, Simulator, tenant::User};
use serde_json::json;

use super::{PORT, holds};
use crate::harness::{Body, Exporter, Setup, until};

/// Only the run at the start: no schedule comes round in these tests.
const NEVER: &str = "0 0 0 1 1 *";

async fn until_logged(exporter: &Exporter, words: &str) {
    until(&format!("{words:?} in\n{}", exporter.log()), || async {
        exporter.log().contains(words).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_log_tells_what_became_of_what_came_in_and_of_what_was_asked() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    simulator.tenant(|tenant| tenant.add_user(User::new("ann@example.com", "Ann Example")));
    // One job has a run, so that lines have one order.
    let mut setup = Setup::new()
        .in_file()
        .polling(&simulator, NEVER)
        .api("retries = 0")
        .watch("users = [\"ann@example.com\"]")
        .tables("[sync.service]\nenabled = false");
    setup.replace("[sync.ips]\n", "[sync.ips]\non_start = false\n");
    let exporter = setup.start().await;
    until_logged(&exporter, "run ended").await;
    let delivery = Body::new("1", "no-mfa", &["ann@example.com"]).json();
    assert_eq!(exporter.deliver(&delivery).await, 200);
    until_logged(&exporter, "newly_failing").await;
    assert_eq!(exporter.deliver(&delivery).await, 200);
    assert_eq!(exporter.deliver(&json!({ "detail-type": "WEBHOOK_TEST" })).await, 200);
    // Refused: no JSON, a wrong type of content, a wrong secret.
    assert_eq!(exporter.post("no JSON").await.unwrap().0, 400);
    let wrong = reqwest::Client::new().post(&exporter.webhook_url);
    let wrong = wrong.header("x-api-client-token", "a wrong one").body("{}").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let (setup, log) = exporter.stop_and_read().await;
    holds("log-of-deliveries", &log, &[PORT]);

    simulator.faults().add(Fault::graphql(Kind::RootError("InternalFailure".to_owned())));
    let exporter = setup.start().await;
    until_logged(&exporter, "run failed").await;
    let (_, log) = exporter.stop_and_read().await;
    holds("log-of-a-poll-that-fails", &log, &[PORT]);
}
