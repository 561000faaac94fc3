//! The past of checks, for a Prometheus that did not scrape then.

use std::{fs, process::Stdio};

use chrono::TimeDelta;
use cii_exporter::{clock, domain::Timestamp};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Body, Setup, free_port, tool, until};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A Prometheus that has blocks and scrapes nothing.
struct Prometheus {
    url: String,
    _child: tokio::process::Child,
}

impl Prometheus {
    async fn start(folder: &std::path::Path) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let config = folder.join("prometheus.yml");
        fs::write(&config, "global: {}\n").unwrap();
        let child = Command::new(tool("debian/usr/bin/prometheus"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("blocks").display()))
            .arg("--storage.tsdb.retention.time=1y")
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let prometheus = Self { url: format!("http://{address}"), _child: child };
        until("Prometheus", || async {
            let answer = reqwest::get(format!("{}/-/ready", prometheus.url)).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        prometheus
    }

    /// The only value of a query at a moment; nothing where it finds none.
    async fn value(&self, query: &str, second: i64) -> Option<String> {
        let parameters = [("query", query), ("time", &second.to_string())];
        let address = format!("{}/api/v1/query", self.url);
        let url = reqwest::Url::parse_with_params(&address, parameters).unwrap();
        let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let found = answer["data"]["result"].as_array().unwrap();
        assert!(found.len() <= 1, "{query}: {answer}");
        found.first().map(|one| one["value"][1].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn a_real_prometheus_shows_who_failed_before_it_scraped() {
    let mut setup = Setup::new().tables("[tenant]\nname = \"Example\"");
    let begun = clock::now().timestamp() / HOUR * HOUR;
    let (first, second) = (begun - 10 * DAY, begun - 4 * DAY);
    // Days ago, some minutes before the hours that are asked about.
    for (at, deliveries) in [
        (first, &[("1", "no-mfa", &["a@example.com"][..])][..]),
        (
            second,
            &[
                ("2", "no-mfa", &["a@example.com", "b@example.com", "c@example.com"]),
                ("3", "other", &["b@example.com"]),
            ],
        ),
    ] {
        let came = Timestamp::from_timestamp(at - 10 * MINUTE, 0).unwrap();
        let exporter = setup.ahead(came - clock::now()).start().await;
        for (id, check, users) in deliveries {
            let body = Body::new(id, check, users).json_of(&came.to_rfc3339());
            assert_eq!(exporter.deliver(&body).await, 200);
        }
        setup = exporter.stop().await;
    }
    let exporter = setup.ahead(TimeDelta::zero()).start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("past.om").display().to_string();
    let arguments = [
        "export",
        "openmetrics",
        "--since",
        "90d",
        "--step",
        "5m",
        "--label",
        "job=cii-exporter",
        "--label",
        "instance=exporter:9847",
        "--output",
        &file,
    ];
    let ended = exporter.run(&arguments).await;
    assert!(ended.code == 0 && ended.output.is_empty(), "{ended:?}");
    assert!(ended.errors.contains("the log begins at "), "{ended:?}");
    assert!(ended.errors.contains("2 checks have "), "{ended:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.ends_with("# EOF\n") && !text.contains("@example.com"));

    let output = Command::new(tool("debian/usr/bin/promtool"))
        .args(["tsdb", "create-blocks-from", "openmetrics", &file])
        .arg(folder.path().join("blocks"))
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let prometheus = Prometheus::start(folder.path()).await;
    let no_mfa = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\",\
                  job=\"cii-exporter\",instance=\"exporter:9847\"}";
    let other = "cii_check_failing_users{check_id=\"other\"}";
    for (query, at, value) in [
        (no_mfa, first - HOUR, None),
        (no_mfa, first, Some("1")),
        (no_mfa, second - HOUR, Some("1")),
        (no_mfa, second, Some("3")),
        (no_mfa, begun - HOUR, Some("3")),
        // Before it was first told of, it is not known to have existed.
        (other, second - HOUR, None),
        (other, second, Some("1")),
    ] {
        let found = prometheus.value(query, at).await;
        assert_eq!(found.as_deref(), value, "{query} at {at}");
    }
    // As the dashboards ask.
    let joined = "sum by (title) (cii_check_info{check_id=\"no-mfa\"} \
                  * on (job, instance, check_id, severity) group_left () \
                  (cii_check_failing_users and on (job, instance) \
                  cii_tenant_info{tenant=\"Example\"}))";
    assert_eq!(prometheus.value(joined, second).await.as_deref(), Some("3"));
    // The newest one has what a scrape has.
    let metrics = exporter.metrics().await;
    for check in ["no-mfa", "other"] {
        let series = format!("cii_check_failing_users{{check_id=\"{check}\",severity=\"high\"");
        let last = text.lines().rfind(|line| line.starts_with(&series)).unwrap();
        let value = last.split(' ').nth(1).unwrap().parse::<f64>().unwrap();
        assert_eq!(metrics.get(&format!("{series}}}")), Some(value));
    }

    let again = exporter.run(&arguments).await;
    assert!(again.code == 1 && again.errors.contains("cannot write"), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn an_export_that_cannot_be_made_says_why() {
    let exporter = Setup::new().start().await;
    let export = |rest: &'static [&'static str]| {
        let arguments = [&["export", "openmetrics"], rest].concat();
        let exporter = &exporter;
        async move { exporter.run(&arguments).await }
    };
    let ended = export(&["--since", "1d"]).await;
    assert!(ended.code == 1 && ended.errors.contains("the log has no event"), "{ended:?}");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    for (rest, code, reason) in [
        (&["--since", "1d", "--step", "1d"][..], 1, "the log begins at "),
        (&["--since", "1h", "--until", "2h"], 64, "--since is later than --until"),
        (&["--since", "1d", "--step", "1500ms"], 64, "whole seconds"),
        (&["--since", "yesterday"], 64, "how far from now it is, such as"),
        (&["--since", "1d", "--label", "check_id=x"], 64, "sets that label"),
    ] {
        let ended = export(rest).await;
        assert!(ended.code == code && ended.errors.contains(reason), "{rest:?}: {ended:?}");
    }
}
