//! What is not known yet is said: nobody failing is never shown as good news
//! before somebody looked.

use cii_simulator::{AppsyncError, Fault, Kind, Options, Simulator};
use serde_json::Value;

use crate::harness::{Body, Exporter, Setup, until};

const NOT_YET: &str = "The tenant was not listed yet";

/// A page as a person reads it.
async fn text(exporter: &Exporter, path: &str) -> String {
    let (status, page) = exporter.get(path).await;
    assert_eq!(status, 200, "{page}");
    let without_tags: String = page
        .split('<')
        .enumerate()
        .map(
            |(number, part)| {
                if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) }
            },
        )
        .collect();
    without_tags.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn listing(exporter: &Exporter) -> Value {
    exporter.api("GET", "/checks", None).await.1["listing"].clone()
}

#[tokio::test]
async fn without_the_api_nobody_looked_and_the_steps_say_what_to_do() {
    let exporter = Setup::new().start().await;
    let page = text(&exporter, "/").await;
    for said in [
        NOT_YET,
        "there is no [api] in the configuration, so failures may be missing",
        "No user is known to fail a check. The tenant was not listed yet",
        "First steps",
        "/webhooks/cii",
        "x-api-client-token",
        "Nothing arrived yet",
    ] {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    assert_eq!(listing(&exporter).await["state"], "no_api");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[]).json()).await, 200);
    let page = text(&exporter, "/checks/no-mfa").await;
    assert!(page.contains("No user is known to fail it. The tenant was not listed"), "{page}");
    let page = text(&exporter, "/").await;
    assert!(!page.contains("First steps") && page.contains(NOT_YET), "{page}");
    exporter.stop().await;
}

#[tokio::test]
async fn a_listing_that_is_off_or_to_come_is_said_until_one_is_complete() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let tables = "[sync.tenant]\nenabled = false\nschedule = \"0 0 0 1 1 *\"\non_start = false";
    let exporter = Setup::new().polling(&simulator, "0 0 0 1 1 *").tables(tables).start().await;
    assert!(text(&exporter, "/").await.contains("switched off by sync.tenant.enabled"));
    assert_eq!(listing(&exporter).await["state"], "off");

    let mut setup = exporter.stop().await;
    setup.replace("enabled = false", "enabled = true");
    let exporter = setup.start().await;
    let page = text(&exporter, "/").await;
    assert!(page.contains("the first listing begins in"), "{page}");
    let waiting = listing(&exporter).await;
    assert_eq!(waiting["state"], "waiting");
    assert!(waiting["next_at"].is_string() && waiting["completed_at"].is_null(), "{waiting}");

    let mut setup = exporter.stop().await;
    setup.replace("on_start = false", "on_start = true");
    let exporter = setup.start().await;
    let complete = until("a complete listing", || async {
        let listing = listing(&exporter).await;
        (listing["state"] == "complete").then_some(listing)
    })
    .await;
    assert!(complete["completed_at"].is_string(), "{complete}");
    assert_eq!(complete["users"], 30);
    let page = text(&exporter, "/").await;
    assert!(page.contains("The whole tenant was listed") && !page.contains(NOT_YET), "{page}");
    let (failures, people) = simulator.tenant(|tenant| {
        let failing: Vec<_> = tenant.users().map(|user| user.failing_checks.len()).collect();
        (failing.iter().sum::<usize>(), failing.iter().filter(|count| **count > 0).count())
    });
    let said = format!("{failures} failures of {people} users in");
    assert!(page.contains(&said), "{said:?} is not in {page}");
    assert_eq!(exporter.api("GET", "/checks", None).await.1["failing_people"], people);
    exporter.stop().await;
}

#[tokio::test]
async fn a_listing_that_fails_is_no_listing() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let url = simulator.graphql_url();
    let mut setup = Setup::new()
        .polling(&simulator, "0 0 0 1 1 *")
        .tables("[sync.tenant]\nenabled = true\nschedule = \"0 0 0 1 1 *\"")
        .api("retries = 0");
    setup.replace(&url, "http://127.0.0.1:9/graphql");
    let exporter = setup.start().await;
    until("a listing that failed", || async {
        (listing(&exporter).await["state"] == "failed").then_some(())
    })
    .await;
    let page = text(&exporter, "/").await;
    assert!(page.contains("the last try failed, the next one begins in"), "{page}");
    assert!(page.contains("Health says why"), "{page}");
    assert!(listing(&exporter).await["reason"].is_string());
    assert_eq!(exporter.metrics().await.get("cii_tenant_listing_complete"), Some(0.0));
    exporter.stop().await;
}

#[tokio::test]
async fn a_listing_without_the_right_is_off_and_says_so() {
    let simulator = Simulator::start(Options { users: 30, ..Options::default() }).await.unwrap();
    let refused = AppsyncError::unauthorized("listEndUsers");
    simulator.faults().add(Fault::graphql(Kind::Error(refused)).of("listEndUsers"));
    let exporter = Setup::new()
        .polling(&simulator, "0 0 0 1 1 *")
        .tables("[sync.tenant]\nenabled = true\nschedule = \"0 0 0 1 1 *\"")
        .start()
        .await;
    until("a job that is off", || async {
        (listing(&exporter).await["state"] == "no_right").then_some(())
    })
    .await;
    let page = text(&exporter, "/").await;
    assert!(page.contains("off, the API client has no right to listEndUsers"), "{page}");
    // The end of a run is stored before it is on /metrics.
    let metrics = exporter.until_metric("cii_sync_off{task=\"tenant\"}", 1.0).await;
    assert_eq!(metrics.get("cii_tenant_listing_complete"), Some(0.0), "{}", metrics.text);
    exporter.stop().await;
}
