//! Connections that are silent, slow or too many, and who else is served meanwhile.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Body, Setup, until};

fn address(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().unwrap()
}

async fn connections(to: &str, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(TcpStream::connect(to).await.unwrap());
    }
    open
}

/// O8: silent connections to one port, and few descriptors.
#[tokio::test]
async fn silent_connections_to_one_listener_leave_the_other_alone() {
    let exporter = Setup::new().descriptors(256).start().await;
    let silent = connections(address(&exporter.webhook_url), 300).await;
    exporter.until_logged("as many connections as one may have").await;
    for _ in 0..3 {
        let metrics = exporter.metrics().await;
        let held = metrics.get("cii_http_connections{listener=\"webhook\"}");
        assert!(held.is_some_and(|held| held < 100.0), "{held:?}");
    }
    // The one client's share is three quarters: others still get through, and the flood's own
    // deliveries do once it is over.
    let refused = "cii_http_connections_refused_total{listener=\"webhook\",reason=\"client\"}";
    assert!(exporter.metrics().await.get(refused).is_some());
    drop(silent);
    until("the delivery", || async {
        let status = exporter.post(Body::new("1", "no-mfa", &["a"]).json().to_string()).await;
        status.filter(|(status, _)| *status == 200)
    })
    .await;
}

/// The other way round: scrapers that hang do not stop deliveries.
#[tokio::test]
async fn silent_connections_to_the_ops_listener_stop_no_delivery() {
    let exporter = Setup::new().descriptors(256).start().await;
    let _silent = connections(address(&exporter.ops_url), 300).await;
    for id in ["1", "2"] {
        assert_eq!(exporter.deliver(&Body::new(id, "no-mfa", &["a"]).json()).await, 200);
    }
}

#[tokio::test]
async fn a_head_that_is_slow_or_too_long_is_ended() {
    let exporter = Setup::new().start().await;
    for url in [&exporter.webhook_url, &exporter.ops_url] {
        // Before the daemon's own time begins.
        let begun = Instant::now();
        let mut slow = TcpStream::connect(address(url)).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nhost: a\r\nx: ").await.unwrap();
        let mut answer = Vec::new();
        let _ = slow.read_to_end(&mut answer).await;
        let took = begun.elapsed();
        assert!((Duration::from_secs(9)..Duration::from_mins(1)).contains(&took), "{took:?}");

        let mut long = TcpStream::connect(address(url)).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(400_000));
        let _ = long.write_all(head.as_bytes()).await;
        let mut answer = String::new();
        let _ = long.read_to_string(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let (status, text) = exporter.get("/-/healthy").await;
    assert_eq!((status, text.as_str()), (200, "healthy\n"));
}

#[tokio::test]
async fn many_honest_connections_of_one_address_pass() {
    let exporter = Setup::new().start().await;
    let senders = (0..256).map(|sender| {
        let body = Body::new(&format!("d{sender}"), "no-mfa", &["a@example.com"]).json();
        let exporter = &exporter;
        async move { exporter.deliver(&body).await }
    });
    let statuses = futures_util::future::join_all(senders).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

#[tokio::test]
async fn the_webhook_listener_tells_a_balancer_that_it_is_healthy() {
    let exporter = Setup::new().start().await;
    let url = format!("http://{}/-/healthy", address(&exporter.webhook_url));
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "healthy\n");
}
