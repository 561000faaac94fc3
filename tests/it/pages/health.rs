//! How the parts do.

use chrono::{TimeDelta, Timelike as _};
use cii_simulator::{Options, Simulator};

use super::{text, until_listed};
use crate::harness::{Body, Setup, until};

#[tokio::test]
async fn health_is_a_line_a_part_with_what_to_do() {
    // At half past: no hour begins while this runs.
    let minute = i64::from(cii_exporter::clock::now().minute());
    let exporter = Setup::new().ahead(TimeDelta::minutes((90 - minute) % 60)).start().await;
    let page = text(&exporter.get("/health").await.1);
    for said in [
        "API off There is no [api] in the configuration",
        "OTLP off No collector is configured.",
        "Webhook waiting No delivery came yet.",
        "Configuration in force Read at the start",
        "Clock believed",
        "Store open",
        "Daemon ready",
        "Waiting. Webhook: waiting.",
    ] {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    exporter.metrics().await;
    let page = text(&exporter.get("/health").await.1);
    assert!(page.contains("Healthy. The last delivery came just now."), "{page}");
    assert!(page.contains("Webhook receiving") && page.contains("Metrics scraped"), "{page}");
    // Of the 23 hours before nothing is known.
    let page = exporter.get("/health").await.1;
    let strip = "Webhook, last 24 hours: 1 delivery; 23 hours without any";
    assert!(page.contains(strip) && page.matches("class=\"ok\"").count() == 1, "{page}");
    // What is refused is told, and the verdict with it.
    assert_eq!(exporter.post("{ no json").await.unwrap().0, 400);
    until_listed(&exporter, 2).await;
    let page = exporter.get("/health").await.1;
    let strip = "Webhook, last 24 hours: 2 deliveries, 1 refused; 23 hours without any";
    assert!(page.contains(strip), "{page}");
    let page = text(&page);
    assert!(
        page.contains(
            "Attention. Webhook: refused some. 1 delivery was refused in 24 hours. Parts"
        ),
        "{page}"
    );
    exporter.stop().await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_and_a_reload_that_is_refused_are_told() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let url = simulator.graphql_url();
    let mut setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .api("retries = 0")
        .watch("users = [\"a@example.com\"]");
    setup.replace(&url, "http://127.0.0.1:9/graphql");
    let mut exporter = setup.start().await;
    let page = until("a job that failed", || async {
        let page = text(&exporter.get("/health").await.1);
        (page.contains("failing Service poll failed")
            || page.contains("API no answer")
            || page.contains("API circuit open"))
        .then_some(page)
    })
    .await;
    assert!(page.contains("Degraded"), "{page}");
    exporter.setup().set_webhook("nonsense = 1");
    exporter.setup().write_config();
    let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
    assert_eq!(reload.send().await.unwrap().status(), 422);
    let page = text(&exporter.get("/health").await.1);
    assert!(page.contains("Configuration not reloaded"), "{page}");
    assert!(page.contains("nonsense"), "{page}");
}

/// What the page has between these two, as text.
fn between(page: &str, begin: &str, end: &str) -> String {
    let (_, rest) = page.split_once(begin).unwrap();
    text(&format!("<i {}", rest.split_once(end).unwrap().0))
}

#[tokio::test]
async fn a_reason_that_several_jobs_share_stands_once_on_a_page() {
    let simulator = Simulator::start(Options { users: 3, ..Options::default() }).await.unwrap();
    let mut setup = Setup::new()
        .polling(&simulator, "* * * * * *")
        .tables("[sync.tenant]\nenabled = true\nschedule = \"* * * * * *\"")
        .api("retries = 0")
        .watch("users = [\"a@example.com\"]\nips = [\"203.0.113.7\"]");
    setup.replace(&simulator.token_url(), "http://127.0.0.1:9/oauth/token");
    let exporter = setup.start().await;
    let page = until("an open circuit, and jobs that failed", || async {
        let page = exporter.get("/health").await.1;
        let is_whole = [
            "API circuit open",
            "User polls failed",
            "Address polls failed",
            "Tenant listing failed",
        ];
        let shown = text(&page);
        is_whole.iter().all(|said| shown.contains(said)).then_some(page)
    })
    .await;
    let reason = "cannot be reached";
    for part in ["API", "User polls", "Tenant listing"] {
        assert!(page.contains(&format!("{part}, last 24 hours: ")), "{part}: {page}");
    }
    let (_, strip) = page.split_once("User polls, last 24 hours: ").unwrap();
    assert!(strip.split_once(';').unwrap().0.ends_with(" failed"), "{page}");
    assert!(!page.contains("class=\"ok\""), "{page}");
    let shown = text(&page);
    assert_eq!(shown.matches(reason).count(), 1, "{shown}");
    assert!(shown.matches("for the reason of API").count() >= 3, "{shown}");
    let (_, home) = exporter.get("/").await;
    assert!(text(&home).matches(reason).count() <= 1, "{home}");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let (_, home) = exporter.get("/").await;
    assert!(text(&home).matches(reason).count() <= 1, "{home}");
    let tile = between(&home, "id=\"tile-health\"", "</section>");
    let line = tile.strip_prefix("Health Degraded ").unwrap().strip_suffix(" What to do").unwrap();
    assert!(line.starts_with("API: circuit open. The service does not answer."), "{line}");
    assert!(line.len() <= 90, "{line}");
    exporter.stop().await;
}
