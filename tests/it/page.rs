//! The status page: in a real browser, and byte by byte.

use cii_exporter::{domain::UserState, store::Store};
use cii_simulator::{Options, Simulator};
use tokio::process::Command;

use crate::harness::{Body, Exporter, SECRET, Setup, close, tell_state, tool};

#[tokio::test]
async fn people_see_it_current_whole_and_safe() {
    let exporter = Setup::new().start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/status_page.py");
    let output = Command::new(tool("venv/bin/python"))
        .args(["-B", script, &exporter.ops_url, &exporter.webhook_url, SECRET])
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// By axe-core, for WCAG 2.1 A and AA: on each page, before anything came and after.
#[tokio::test]
async fn no_page_keeps_anybody_out() {
    let exporter = Setup::new().watch("ips = [\"203.0.113.7\"]").start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/accessible.py");
    let output = Command::new(tool("venv/bin/python"))
        .args(["-B", script, &exporter.ops_url, &exporter.webhook_url, SECRET])
        .arg(tool("axe-core-4.14.1/axe.min.js"))
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn nothing_foreign_runs_and_nothing_of_ours_leaks() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a"]).json()).await, 200);
    for (path, status) in [
        ("/", 200),
        ("/checks/no-mfa", 200),
        ("/users/a", 200),
        ("/watched", 200),
        ("/watched?view=none", 400),
        ("/health", 200),
        ("/find?q=nobody", 200),
        ("/find?q=a&q=b", 400),
        ("/deliveries", 200),
        ("/deliveries/1", 200),
        ("/deliveries/99", 404),
        ("/checks/none", 404),
        ("/nowhere", 404),
        ("/users/", 404),
        ("/api/v1/", 404),
        ("/ips/203.0.113.0%2F24", 400),
        ("/ips/not-an-address", 400),
        ("/deliveries/abc", 404),
        ("/users", 404),
        ("/users?login=nobody", 404),
        ("/users?login=a", 200),
        ("/checks?id=no-mfa", 200),
        ("/checks?id=no-mfa&list=odd", 404),
        ("/ips?ip=203.0.113.7", 404),
        ("/?name=none", 400),
        ("/assets/page.js", 200),
        ("/assets/page.css", 200),
    ] {
        let answer = reqwest::get(format!("{}{path}", exporter.ops_url)).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        let text = answer.text().await.unwrap();
        assert!(!text.is_empty() && !text.contains(SECRET), "{path}: {text}");
    }
}

/// The number after a marker in a page.
fn number_after(page: &str, marker: &str) -> i64 {
    let (_, rest) = page.split_once(marker).unwrap();
    rest[..rest.find(|letter: char| !letter.is_ascii_digit()).unwrap()].parse().unwrap()
}

/// The newest event that a page of a user reflects, and the checks that it shows.
async fn seq_and_failing(exporter: &Exporter) -> (i64, i64) {
    let (status, page) = exporter.get("/users/zoe@example.com").await;
    assert_eq!(status, 200, "{page}");
    let checks = page.matches("failing for <time").count();
    (number_after(&page, "data-seq=\""), i64::try_from(checks).unwrap())
}

#[tokio::test]
async fn a_page_is_of_one_moment() {
    const DELIVERIES: i64 = 150;
    let exporter = Setup::new().start().await;
    let deliver = async |number: i64| {
        let name = format!("check-{number}");
        let body = Body::new(&name, &name, &["zoe@example.com"]);
        assert_eq!(exporter.deliver(&body.json()).await, 200);
    };
    // Each delivery opens one failure and logs as many events as the others; only the
    // first also puts the user on the watch list.
    deliver(1).await;
    let (first, _) = seq_and_failing(&exporter).await;
    deliver(2).await;
    let (second, _) = seq_and_failing(&exporter).await;
    let delivering = async {
        for number in 3..=DELIVERIES {
            deliver(number).await;
        }
    };
    let looking = async {
        loop {
            let (seq, failing) = seq_and_failing(&exporter).await;
            assert_eq!(failing, 1 + (seq - first) / (second - first), "at event {seq}");
            if failing == DELIVERIES {
                break;
            }
        }
    };
    tokio::join!(delivering, looking);
}

#[tokio::test]
async fn whoever_looks_knows_when_the_next_poll_is() {
    let page = Setup::new().start().await.get("/watched").await.1;
    assert!(page.contains("not polled"), "{page}");
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let exporter = Setup::new().polling(&simulator, "0 0 0 1 1 *").start().await;
    let page = exporter.get("/watched").await.1;
    assert!(page.contains("next poll in"), "{page}");
}

#[tokio::test]
async fn an_address_that_is_no_web_page_is_no_link() {
    let setup = Setup::new();
    let (store, writer) = Store::open(&setup.database()).unwrap();
    let urls = [("a", "javascript:alert(1)"), ("b", "https://console.example/b")];
    for (login, url) in urls {
        let state = UserState { reference_url: Some(url.to_owned()), ..UserState::default() };
        tell_state(&store, login, state).await;
    }
    close(store, writer, &setup.database()).await;
    let exporter = setup.start().await;
    let (status, page) = exporter.get("/users/a").await;
    assert!(status == 200 && !page.contains("javascript:"), "{page}");
    let (_, page) = exporter.get("/users/b").await;
    assert!(page.contains("href=\"https://console.example/b\""), "{page}");
}
