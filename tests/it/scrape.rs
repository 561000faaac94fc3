//! /metrics as Prometheus sees it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName},
};

use crate::harness::{Body, Exporter, Setup, Stack, sample_payload, until};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The answer to a scrape, its body as it was sent.
struct Scrape {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Scrape {
    /// Requests `/metrics` with these headers.
    async fn request(exporter: &Exporter, method: Method, headers: &[(&str, &str)]) -> Self {
        let url = format!("{}/metrics", exporter.ops_url);
        let mut request = reqwest::Client::new().request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap().to_vec(),
        }
    }

    /// One that has what was committed before it: on a busy machine a scrape can lag behind that, and
    /// says so.
    async fn get(exporter: &Exporter, headers: &[(&str, &str)]) -> Self {
        until("a scrape that does not lag", || async {
            let scrape = Self::request(exporter, Method::GET, headers).await;
            assert_eq!(scrape.status, 200);
            let is_current = |line: &str| {
                let lag = line.strip_prefix("cii_metrics_lag_seconds ");
                lag.is_some_and(|lag| lag.parse() == Ok(0.0))
            };
            scrape.text().lines().any(is_current).then_some(scrape)
        })
        .await
    }

    fn header(&self, name: &str) -> Option<&str> {
        let name: HeaderName = name.parse().unwrap();
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn is_gzip(&self) -> bool {
        self.header("content-encoding").is_some_and(|coding| coding == "gzip")
    }

    /// The body as text. Only the first gzip member is read, as curl and browsers do.
    fn text(&self) -> String {
        if !self.is_gzip() {
            return String::from_utf8(self.body.clone()).unwrap();
        }
        let (mut reader, mut text) = (GzDecoder::new(&*self.body), String::new());
        reader.read_to_string(&mut text).unwrap();
        assert!(reader.into_inner().is_empty(), "there is more behind the first gzip member");
        text
    }
}

/// The series of a scrape, without their values: the exporter's own change at any time.
fn series(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.rsplit_once(' ').map_or(line, |(series, _)| series)).collect()
}

#[tokio::test]
async fn a_scrape_is_compressed_for_whom_accepts_it() {
    let exporter = Setup::new().watch("users = [\"alice@example.com\"]").start().await;
    exporter.post(sample_payload()).await.unwrap();
    let plain = Scrape::get(&exporter, &[]).await;
    assert_eq!(plain.header("content-type"), Some(TEXT));
    assert_eq!(plain.header("vary"), Some("accept, accept-encoding"));
    for accepted in ["gzip", "GZIP;q=0.5, identity;q=0.1", "x-gzip", "br, zstd, *;q=0.2"] {
        let packed = Scrape::get(&exporter, &[("accept-encoding", accepted)]).await;
        assert!(packed.is_gzip(), "{accepted}");
        assert_eq!(packed.header("vary"), Some("accept, accept-encoding"));
        assert!(packed.body.len() * 3 < plain.body.len(), "{}", packed.body.len());
        assert_eq!(series(&packed.text()), series(&plain.text()));
    }
    for accepted in ["", "identity", "gzip;q=0", "gzip;q=0.000, *", "br, zstd", "gzip;q=high"] {
        let scrape = Scrape::get(&exporter, &[("accept-encoding", accepted)]).await;
        assert!(!scrape.is_gzip(), "{accepted}");
        assert_eq!(series(&scrape.text()), series(&plain.text()));
    }
    // What is kept of one scrape must not be shown by a later one.
    let body = Body::new("another", "another-check", &["zoe@example.com"]);
    assert_eq!(exporter.deliver(&body.json()).await, 200);
    let packed = Scrape::get(&exporter, &[("accept-encoding", "gzip")]).await;
    assert!(packed.text().contains("check_id=\"another-check\""));
}

#[tokio::test]
async fn head_tells_what_get_would_send() {
    let exporter = Setup::new().start().await;
    for headers in [&[][..], &[("accept-encoding", "gzip")]] {
        let head = Scrape::request(&exporter, Method::HEAD, headers).await;
        assert!(head.status == 200 && head.body.is_empty());
        let get = Scrape::get(&exporter, headers).await;
        for name in ["content-type", "content-encoding", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        assert!(length.abs_diff(get.body.len()) < 200, "{length} and {}", get.body.len());
    }
    let post = Scrape::request(&exporter, Method::POST, &[]).await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn openmetrics_is_for_whom_asks_for_it() {
    let exporter = Setup::new().start().await;
    exporter.post(sample_payload()).await.unwrap();
    for accepted in [
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        // Prometheus 2.42 and 3.
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
         q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
         escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ] {
        let headers = [("accept", accepted), ("accept-encoding", "gzip")];
        let scrape = Scrape::get(&exporter, &headers).await;
        assert_eq!(scrape.header("content-type"), Some(OPEN_METRICS), "{accepted}");
        let text = scrape.text();
        for line in [
            "# TYPE cii_check_failures counter\n",
            "# TYPE cii_check_failing_users gauge\n",
            "# TYPE cii_webhook_requests counter\n",
            "# TYPE cii_store_commit_duration_seconds histogram\n",
            "# TYPE process_cpu_seconds counter\n",
            "\ncii_webhook_requests_total{result=\"accepted\"} 1\n",
            "\ncii_store_commit_duration_seconds_bucket{le=\"1.0\"} ",
            "\ncii_store_commit_duration_seconds_bucket{le=\"+Inf\"} ",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(text.contains("\ncii_check_failures_total{check_id="), "{text}");
        assert!(text.ends_with("\n# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
        let is_counter = |line: &str| line.starts_with('#') && line.contains("_total ");
        assert!(!text.lines().any(is_counter), "{text}");
    }
    for accepted in [
        "",
        "*/*",
        "text/plain",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/json",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.5, text/plain",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;version=2.0.0",
    ] {
        let scrape = Scrape::get(&exporter, &[("accept", accepted)]).await;
        assert_eq!(scrape.header("content-type"), Some(TEXT), "{accepted}");
        assert!(!scrape.text().contains("# EOF"), "{accepted}");
    }
}

#[tokio::test]
async fn prometheus_reads_compressed_openmetrics() {
    let exporter = Setup::new().watch("users = [\"alice@example.com\"]").start().await;
    exporter.post(sample_payload()).await.unwrap();
    let odd = Body::new("odd", "quote\"back\\slash\nline", &["\"><script>@example.com"]);
    assert_eq!(exporter.deliver(&odd.json()).await, 200);
    let mut stack = Stack::start().await;
    stack.watch(exporter.ops_url.trim_start_matches("http://")).await;
    // Only OpenMetrics names the family of a counter without `_total`.
    for (family, kind) in [
        ("cii_check_failures", "counter"),
        ("cii_webhook_requests", "counter"),
        ("cii_check_info", "gauge"),
        ("cii_store_commit_duration_seconds", "histogram"),
    ] {
        until(&format!("{family} in Prometheus\n{}", stack.log()), || async {
            (stack.kind_of(family).await.as_deref() == Some(kind)).then_some(())
        })
        .await;
    }
    let metrics = exporter.metrics().await;
    for query in [
        "cii_check_failures_total",
        "cii_check_info",
        "cii_webhook_requests_total",
        "cii_store_commit_duration_seconds_bucket",
    ] {
        // Prometheus knows a family a moment before its samples.
        let series = metrics.series(query).len();
        until(query, || async { (stack.query(query).await? == series).then_some(()) }).await;
    }
    stack.stop().await;
}

#[tokio::test]
async fn the_exporters_own_metrics_are_there_from_the_start() {
    let exporter = Setup::new().start().await;
    let metrics = exporter.metrics().await;
    for result in [
        "accepted",
        "duplicate",
        "filtered",
        "test",
        "unauthorized",
        "malformed",
        "too_large",
        "unavailable",
    ] {
        let series = format!("cii_webhook_requests_total{{result=\"{result}\"}}");
        assert_eq!(metrics.get(&series), Some(0.0));
    }
    for name in ["cii_build_info", "process_resident_memory_bytes", "cii_store_size_bytes"] {
        assert_eq!(metrics.series(name).len(), 1, "{name}");
    }
    assert!(metrics.get("cii_store_commits_total").is_some());
}

#[tokio::test]
async fn the_ops_listener_answers_health_and_readiness() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.get("/-/healthy").await.0, 200);
    assert_eq!(exporter.get("/-/ready").await.0, 200);
    let (status, page) = exporter.get("/").await;
    assert!(status == 200 && page.contains("/metrics"), "{page}");
}
