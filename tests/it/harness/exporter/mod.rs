//! The real daemon as a process.

mod log;
mod setup;

use std::{
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::process::Child;

use super::{Metrics, SECRET, until};
use log::Log;

pub use setup::{Ended, Setup};

/// How long a daemon may take to end: the 10 seconds that the README promises, and as long again for a
/// machine that stalls. What keeps a daemon from its end keeps it for longer.
const STOPPING: Duration = Duration::from_secs(20);

/// A running daemon; dropping it kills it.
pub struct Exporter {
    setup: Setup,
    child: Child,
    log: Log,
    pub webhook_url: String,
    pub ops_url: String,
    http: reqwest::Client,
}

impl Setup {
    /// Starts the daemon and waits until it is ready.
    pub async fn start(self) -> Exporter {
        self.start_with(reqwest::Client::new()).await
    }

    /// The same, asked by this client.
    pub async fn start_with(self, http: reqwest::Client) -> Exporter {
        self.write_config();
        let mut child = self.daemon().stderr(Stdio::piped()).spawn().expect("the daemon starts");
        let log = Log::of(child.stderr.take().expect("its log is piped"));
        let find = |marker: &'static str| {
            let log = &log;
            async move { log.address(marker) }
        };
        let webhook_url = until("the webhook's address", || find("deliveries at ")).await;
        let metrics_url = until("the metrics' address", || find("metrics at ")).await;
        let ops_url = metrics_url.trim_end_matches("/metrics").to_owned();
        let exporter = Exporter { setup: self, child, log, webhook_url, ops_url, http };
        until("readiness", || async { (exporter.get("/-/ready").await.0 == 200).then_some(()) })
            .await;
        exporter
    }
}

impl Exporter {
    /// Posts a body with the right secret; the status of the answer.
    pub async fn deliver(&self, body: &Value) -> u16 {
        self.post(body.to_string()).await.map_or(0, |(status, _)| status)
    }

    /// Posts any text with the right secret; `None` when the daemon is gone.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Option<(u16, String)> {
        let request = self
            .http
            .post(&self.webhook_url)
            .header("x-api-client-token", SECRET)
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.ok()?))
    }

    /// Posts bytes with the right secret and a content encoding; the status, and
    /// what the answer says.
    pub async fn post_encoded(&self, body: Vec<u8>, encoding: &str) -> (u16, String) {
        let request = self
            .http
            .post(&self.webhook_url)
            .header("x-api-client-token", SECRET)
            .header("content-type", "application/json")
            .header("content-encoding", encoding)
            .body(body);
        let answer = request.send().await.expect("the daemon answers");
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }

    /// Gets a page of the ops listener.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let Ok(answer) = self.http.get(format!("{}{path}", self.ops_url)).send().await else {
            return (0, String::new());
        };
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }

    /// A scrape that has all that was committed before it. On a machine that stalls, one can show
    /// older metrics of the tenant, and says how old they are; without its server, it cannot do more.
    pub async fn metrics(&self) -> Metrics {
        until("a scrape of what was committed", || async {
            let metrics = self.scrape().await;
            let is_current = metrics.get("cii_metrics_lag_seconds").is_none_or(|lag| lag == 0.0);
            let is_away = metrics.get("cii_store_up") == Some(0.0);
            (is_current || is_away).then_some(metrics)
        })
        .await
    }

    /// A single scrape: the exporter's own metrics are of this moment, and those of the tenant can be
    /// older.
    pub async fn scrape(&self) -> Metrics {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        Metrics::parse(text)
    }

    /// Asks the API of the ops listener.
    pub async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.ops_url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the daemon answers");
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Runs a command beside the daemon, with its configuration.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.setup.run(arguments).await
    }

    /// Waits until a series has a value.
    pub async fn until_metric(&self, series: &str, value: f64) -> Metrics {
        until(&format!("{series} {value}\n{}", self.log()), || async {
            let metrics = self.metrics().await;
            (metrics.get(series) == Some(value)).then_some(metrics)
        })
        .await
    }

    /// What the daemon logged, as far as it was read: a line comes later than the answer that was
    /// sent after it.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log has this text; the log up to then.
    pub async fn until_logged(&self, text: &str) -> String {
        until(&format!("{text:?} in the log\n{}", self.log()), || async {
            Some(self.log()).filter(|log| log.contains(text))
        })
        .await
    }

    pub fn database(&self) -> PathBuf {
        self.setup.database()
    }

    pub fn setup(&mut self) -> &mut Setup {
        &mut self.setup
    }

    /// Whether a text stands anywhere in the daemon's memory.
    pub fn remembers(&self, text: &str) -> bool {
        let process = format!("/proc/{}", self.child.id().expect("it runs"));
        let maps = std::fs::read_to_string(format!("{process}/maps")).expect("its memory is told");
        let memory = std::fs::File::open(format!("{process}/mem")).expect("a parent may read it");
        let written = maps.lines().filter_map(|line| {
            let mut fields = line.split(' ');
            let (start, end) = fields.next()?.split_once('-')?;
            let is_written = fields.next()?.starts_with("rw");
            let address = |text| u64::from_str_radix(text, 16).ok();
            is_written.then_some((address(start)?, address(end)?))
        });
        written.into_iter().any(|(start, end)| {
            let mut bytes = vec![0; usize::try_from(end - start).expect("it fits")];
            // What goes away meanwhile is remembered no more.
            let Ok(()) = memory.read_exact_at(&mut bytes, start) else { return false };
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.is_ok_and(|status| status.success()));
    }

    /// Waits until the daemon has ended, and all that it logged is read.
    pub async fn ended(&mut self) -> ExitStatus {
        let status = self.child.wait().await.expect("it ends");
        self.log.end().await;
        status
    }

    /// Waits until the daemon has ended, within the time that it may take; its exit code.
    pub async fn ended_in_time(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(STOPPING, self.ended()).await;
        ended.expect("it ends in time").code()
    }

    /// Kills the daemon without warning, and hands back what it was started with.
    pub async fn kill(mut self) -> Setup {
        self.child.kill().await.expect("it can be killed");
        self.setup
    }

    /// Ends the daemon as an operator does, and hands back what it was started
    /// with.
    pub async fn stop(self) -> Setup {
        self.stop_and_read().await.0
    }

    /// The same, with all that it logged.
    pub async fn stop_and_read(mut self) -> (Setup, String) {
        self.signal("TERM");
        assert!(self.ended().await.success(), "{}", self.log());
        let log = self.log();
        (self.setup, log)
    }
}
