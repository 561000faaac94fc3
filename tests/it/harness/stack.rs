//! Prometheus, Alertmanager and a collector that others wrote, with the repository's
//! own example files on other ports.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, routing::post};
use cii_test_cluster::free_port;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    task::JoinHandle,
};

use super::{Protocol, Receiver, tool, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The programs around the daemon; dropping it kills them.
pub struct Stack {
    folder: TempDir,
    children: Vec<Child>,
    notified: Arc<Mutex<Vec<Value>>>,
    pager: JoinHandle<()>,
    /// What the collector hands its records on to.
    pub behind_the_collector: Receiver,
    collector_port: u16,
    prometheus: String,
    alertmanager_port: u16,
}

impl Stack {
    /// Starts the collector, and Alertmanager with somebody to notify.
    pub async fn start() -> Self {
        let behind_the_collector = Receiver::start().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let pager_port = listener.local_addr().expect("bound").port();
        let notified = Arc::<Mutex<Vec<Value>>>::default();
        let router = Router::new().route("/{receiver}", post(take)).with_state(notified.clone());
        let pager = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        let mut stack = Self {
            folder: TempDir::new().expect("a temporary folder"),
            children: Vec::new(),
            notified,
            pager,
            behind_the_collector,
            collector_port: free_port(),
            prometheus: format!("127.0.0.1:{}", free_port()),
            alertmanager_port: free_port(),
        };
        stack.start_collector();
        stack.start_alertmanager(pager_port);
        stack
    }

    /// Where the daemon sends its events.
    pub fn otlp_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.collector_port)
    }

    fn start_collector(&mut self) {
        let packages = tool("venv/lib");
        let program = fs::read_dir(&packages)
            .expect("readable")
            .map(|entry| entry.expect("readable").path().join("site-packages/rotel/rotel-agent"))
            .find(|path| path.exists())
            .expect("rotel is missing; run scripts/setup-tests first");
        let grpc = format!("127.0.0.1:{}", free_port());
        let http = format!("127.0.0.1:{}", self.collector_port);
        let behind = self.behind_the_collector.endpoint(Protocol::Grpc);
        let pid_file = self.path("rotel.pid");
        let log_file = self.path("rotel.log");
        let arguments = ["start", "--otlp-grpc-endpoint", &grpc, "--otlp-http-endpoint", &http];
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--exporter", "otlp", "--otlp-exporter-protocol", "grpc"])
            .args(["--otlp-exporter-compression", "none"])
            .args(["--otlp-exporter-endpoint", &behind])
            .args(["--pid-file", &pid_file, "--log-file", &log_file]);
        self.spawn(command, "rotel");
    }

    fn start_alertmanager(&mut self, pager_port: u16) {
        let pager = format!("127.0.0.1:{pager_port}");
        let file = self.rendered("alerts/alertmanager.example.yml", &[("127.0.0.1:5001", &pager)]);
        // Debian's build reads its templates from /usr/share, and only there. In a mount
        // namespace of its own it finds those of the package that was unpacked.
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount --bind \"$0/share\" /usr/share && exec \"$0/bin/prometheus-alertmanager\" \"$@\"")
            .arg(tool("debian/usr"))
            .arg(format!("--config.file={file}"))
            .arg(format!("--storage.path={}", self.path("alertmanager")))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.alertmanager_port))
            .arg("--cluster.listen-address=");
        self.spawn(command, "alertmanager");
    }

    /// Starts Prometheus, and waits until it has seen the exporter at this address.
    pub async fn watch(&mut self, exporter: &str) {
        self.watch_all(&[exporter]).await;
    }

    /// The same with several exporters.
    pub async fn watch_all(&mut self, exporters: &[&str]) {
        let alertmanager = format!("127.0.0.1:{}", self.alertmanager_port);
        let file = self.rendered(
            "deploy/prometheus.yml",
            &[
                ("../alerts/", &format!("{ROOT}/alerts/")),
                ("alertmanager:9093", &alertmanager),
                ("exporter:9847", &exporters.join("', '")),
            ],
        );
        let mut command = Command::new(tool("debian/usr/bin/prometheus"));
        command
            .arg(format!("--config.file={file}"))
            .arg(format!("--storage.tsdb.path={}", self.path("prometheus")))
            .arg(format!("--web.listen-address={}", self.prometheus));
        self.spawn(command, "prometheus");
        until("a scrape", || async {
            let seen = self.query("up{job=\"cii-exporter\"} == 1").await;
            (seen == Some(exporters.len())).then_some(())
        })
        .await;
    }

    /// How many series Prometheus finds for a query; `None` when it does not answer.
    pub async fn query(&self, query: &str) -> Option<usize> {
        let address = format!("http://{}/api/v1/query", self.prometheus);
        let url = reqwest::Url::parse_with_params(&address, [("query", query)]).expect("a URL");
        let answer: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        Some(answer["data"]["result"].as_array()?.len())
    }

    /// What Prometheus answers about one moment, in Unix seconds: the values by their labels, as
    /// JSON; `None` when it does not answer.
    pub async fn values(&self, query: &str, at: i64) -> Option<BTreeMap<String, String>> {
        let address = format!("http://{}/api/v1/query", self.prometheus);
        let at = at.to_string();
        let parameters = [("query", query), ("time", &at)];
        let url = reqwest::Url::parse_with_params(&address, parameters).expect("a URL");
        let answer: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        let result = answer["data"]["result"].as_array()?.iter();
        let values = result.map(|one| (one["metric"].to_string(), one["value"][1].to_string()));
        Some(values.collect())
    }

    /// Gives Alertmanager alerts with these labels.
    pub async fn fire(&self, alerts: &[Value]) -> reqwest::Result<()> {
        let url = format!("http://127.0.0.1:{}/api/v2/alerts", self.alertmanager_port);
        let alerts: Vec<_> = alerts.iter().map(|labels| json!({ "labels": labels })).collect();
        reqwest::Client::new().post(url).json(&alerts).send().await?.error_for_status()?;
        Ok(())
    }

    /// The labels of the alerts of which Alertmanager tells nobody, since another one explains them.
    pub async fn inhibited(&self) -> Option<Vec<Value>> {
        let url = format!("http://127.0.0.1:{}/api/v2/alerts", self.alertmanager_port);
        let alerts: Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        let is_inhibited = |alert: &&Value| alert["status"]["inhibitedBy"] != json!([]);
        let inhibited = alerts.as_array()?.iter().filter(is_inhibited);
        Some(inhibited.map(|alert| alert["labels"].clone()).collect())
    }

    /// The rules that Prometheus evaluated, with what went wrong; `None` while one was not.
    pub async fn evaluated_rules(&self) -> Option<Vec<(String, String)>> {
        let address = format!("http://{}/api/v1/rules", self.prometheus);
        let answer: Value = reqwest::get(address).await.ok()?.json().await.ok()?;
        let groups = answer["data"]["groups"].as_array()?.iter();
        let rules = groups.filter_map(|group| group["rules"].as_array()).flatten();
        rules
            .map(|rule| {
                let text = |name: &str| rule[name].as_str().unwrap_or_default().to_owned();
                (rule["health"] != "unknown").then(|| (text("name"), text("lastError")))
            })
            .collect()
    }

    /// The type of a metric family, as the newest scrape declared it.
    pub async fn kind_of(&self, family: &str) -> Option<String> {
        let address = format!("http://{}/api/v1/metadata?metric={family}", self.prometheus);
        let answer: Value = reqwest::get(address).await.ok()?.json().await.ok()?;
        Some(answer["data"][family][0]["type"].as_str()?.to_owned())
    }

    /// The alerts that people were notified of.
    pub fn alerts(&self) -> Vec<Value> {
        self.notified.lock().expect("no panic").clone()
    }

    /// What the programs said, for the message of a test that fails.
    pub fn log(&self) -> String {
        ["rotel", "alertmanager", "prometheus"]
            .map(|name| fs::read_to_string(self.path(&format!("{name}.out"))).unwrap_or_default())
            .join("\n")
    }

    /// Ends everything.
    pub async fn stop(mut self) {
        for child in &mut self.children {
            child.kill().await.expect("it can be killed");
        }
        self.behind_the_collector.stop().await;
        self.pager.abort();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A file of the repository with other words in it.
    fn rendered(&self, file: &str, replacements: &[(&str, &str)]) -> String {
        let mut text = fs::read_to_string(Path::new(ROOT).join(file)).expect("readable");
        for (old, new) in replacements {
            assert!(text.contains(old), "{file} has no {old}");
            text = text.replace(old, new);
        }
        let rendered = self.path(&file.replace('/', "-"));
        fs::write(&rendered, text).expect("writable");
        rendered
    }

    fn spawn(&mut self, mut command: Command, name: &str) {
        let output = fs::File::create(self.path(&format!("{name}.out"))).expect("writable");
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .kill_on_drop(true);
        self.children.push(command.spawn().expect("it starts"));
    }
}

async fn take(State(notified): State<Arc<Mutex<Vec<Value>>>>, Json(message): Json<Value>) {
    let mut notified = notified.lock().expect("no panic");
    let receiver = &message["receiver"];
    notified.extend(message["alerts"].as_array().into_iter().flatten().map(|alert| {
        let mut alert = alert.clone();
        alert["receiver"] = receiver.clone();
        alert
    }));
}
