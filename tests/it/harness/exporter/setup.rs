//! What a daemon or a command is started with.

use std::{
    fmt::Write as _,
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use cii_simulator::Simulator;
use cii_test_cluster::{Cluster, Engine};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{Disk, Receiver, SECRET, clock, receiver::Protocol};

/// What a daemon is started with.
pub struct Setup {
    folder: TempDir,
    tables: String,
    webhook: String,
    ops: String,
    ops_listen: String,
    watch: String,
    variables: Vec<(String, String)>,
    lists_tenant: bool,
    /// The whole configuration, in place of the tables.
    example: Option<String>,
    /// How many descriptors it may have.
    descriptors: Option<u32>,
    /// The URL of a database on a server, in place of a file.
    server: Option<String>,
    /// By how much its clock is ahead of the machine's.
    ahead: TimeDelta,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Ended {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.output).expect(&self.errors)
    }
}

/// A database on a server, where the variable asks for tests on one.
fn server() -> Option<String> {
    (Engine::of_environment() == Engine::Server).then(|| Cluster::shared().create_database().url)
}

impl Setup {
    /// A daemon that takes webhooks and does nothing else.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self {
            folder,
            tables: String::new(),
            webhook: String::new(),
            ops: String::new(),
            ops_listen: "127.0.0.1:0".to_owned(),
            watch: String::new(),
            // Tests do not wait until the API has surely caught up with the webhook.
            variables: vec![("CII_EXPORTER_SYNC__SETTLE".to_owned(), "0s".to_owned())],
            lists_tenant: false,
            example: None,
            descriptors: None,
            server: server(),
            ahead: TimeDelta::zero(),
        }
    }

    /// A daemon with `config.example.toml` as its configuration: every default, with the URLs,
    /// secrets, path and free ports filled in.
    pub fn example(simulator: &Simulator) -> Self {
        let mut setup = Self::new();
        let text = include_str!("../../../../config.example.toml");
        let secrets = format!("secrets = [\"{SECRET}\"]");
        let url = format!("\"{}\"", simulator.graphql_url());
        let token_url = format!("\"{}\"", simulator.token_url());
        let client_id = format!("\"{}\"", simulator.client_id());
        let client_secret = format!("client_secret = \"{}\"", simulator.client_secret());
        let path = format!("\"{}\"", setup.database().display());
        let text = [
            ("\"127.0.0.1:8847\"", "\"127.0.0.1:0\""),
            ("\"127.0.0.1:9847\"", "\"127.0.0.1:0\""),
            ("# secrets = [\"…\"]", &secrets),
            ("\"https://api.oort.io/graphql\"", &url),
            ("\"https://login.oort.io/oauth/token\"", &token_url),
            ("\"the-client-id\"", &client_id),
            ("# client_secret = \"…\"", &client_secret),
            ("\"cii-exporter.db\"", &path),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "the example has no {old}");
            text.replacen(old, new, 1)
        });
        setup.example = Some(text);
        setup
    }

    /// It asks this service, as often as `schedule` says. A request has far more time than the
    /// simulator takes, which stalls with its test.
    pub fn polling(mut self, simulator: &Simulator, schedule: &str) -> Self {
        let _ = write!(
            self.tables,
            "[api]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
             timeout_seconds = 20\n\
             [sync.users]\nschedule = \"{schedule}\"\n[sync.ips]\nschedule = \"{schedule}\"\n",
            simulator.graphql_url(),
            simulator.token_url(),
            simulator.client_id(),
            simulator.client_secret(),
        );
        self
    }

    /// The tenant is listed as by default. Without this, and without a table
    /// `[sync.tenant]`, it is not: a listing finds failures of the simulator's own
    /// users, and a test that counts failures, events or requests is not about them.
    pub fn listing(mut self) -> Self {
        self.lists_tenant = true;
        self
    }

    /// Other tables of the configuration.
    pub fn tables(mut self, lines: &str) -> Self {
        self.tables.push_str(lines);
        self.tables.push('\n');
        self
    }

    /// Without any of the tables that were added: without the API, too.
    pub fn without_tables(mut self) -> Self {
        self.tables.clear();
        self
    }

    /// Other words in place of some of the configuration.
    pub fn replace(&mut self, old: &str, new: &str) {
        let tables = [&mut self.tables, &mut self.webhook, &mut self.ops, &mut self.watch];
        let table = tables.into_iter().find(|table| table.contains(old));
        let table = table.expect("the configuration has the old words");
        *table = table.replacen(old, new, 1);
    }

    /// More lines of the table `[api]`.
    pub fn api(mut self, lines: &str) -> Self {
        self.tables = self.tables.replacen("[api]\n", &format!("[api]\n{lines}\n"), 1);
        self
    }

    /// It sends its events to this OTLP endpoint.
    pub fn sending_to(mut self, endpoint: &str, protocol: Protocol) -> Self {
        let protocol = protocol.as_str();
        let _ =
            write!(self.tables, "[otlp]\nendpoint = \"{endpoint}\"\nprotocol = \"{protocol}\"\n");
        self
    }

    /// It sends its events to this receiver.
    pub fn sending(self, receiver: &Receiver, protocol: Protocol) -> Self {
        self.sending_to(&receiver.endpoint(protocol), protocol)
    }

    /// A variable of the daemon's environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its calls to this disk can be made to fail.
    pub fn on(mut self, disk: &Disk) -> Self {
        let variables = disk.variables();
        self.variables.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        self
    }

    /// Its clock is ahead of the machine's by so much from the next start on, and behind by what
    /// is negative: what is to be a day old need not be waited for.
    pub fn ahead(mut self, by: TimeDelta) -> Self {
        self.ahead = by;
        self
    }

    /// Its database is on a server, where others may share it.
    pub fn at(mut self, url: &str) -> Self {
        self.server = Some(url.to_owned());
        self
    }

    /// Its database is in a file, as without [`at`](Self::at).
    pub fn in_file(mut self) -> Self {
        self.server = None;
        self
    }

    /// Lines of the table `[watch]`.
    pub fn watch(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.watch);
        self
    }

    /// Lines of the table `[webhook]`.
    pub fn webhook(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.webhook);
        self
    }

    /// The webhook listener has a `web-config.yml`, which is empty: it has metrics of its own.
    pub fn with_web_config(self) -> Self {
        let path = self.config_file().with_file_name("web-config.yml");
        std::fs::write(&path, "").expect("it is written");
        self.webhook(&format!("web_config = \"{}\"", path.display()))
    }

    /// Lines of the table `[ops]`.
    pub fn ops(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.ops);
        self
    }

    /// Where the ops listener listens.
    pub fn ops_listen(mut self, listen: &str) -> Self {
        listen.clone_into(&mut self.ops_listen);
        self
    }

    /// Other lines of the table `[watch]`, for the next start or reload.
    pub fn set_watch(&mut self, lines: &str) {
        lines.clone_into(&mut self.watch);
    }

    /// Other lines of the table `[webhook]`, likewise.
    pub fn set_webhook(&mut self, lines: &str) {
        lines.clone_into(&mut self.webhook);
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// It may have so many descriptors and no more.
    pub fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// The daemon, with its environment.
    pub fn daemon(&self) -> Command {
        let mut command = self.limited();
        command.envs(clock::variables(self.ahead)).envs(self.variables.clone());
        command
    }

    /// The daemon, with as many descriptors as it may have.
    fn limited(&self) -> Command {
        let Some(most) = self.descriptors else {
            return Self::command(&["run"], &self.config_file());
        };
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -n {most} && exec \"$0\" run --config \"$1\""));
        command.arg(env!("CARGO_BIN_EXE_cii-exporter")).arg(self.config_file());
        command.kill_on_drop(true);
        command
    }

    pub fn write_config(&self) {
        let listing = if self.lists_tenant
            || self.tables.contains("[sync.tenant]")
            || !self.tables.contains("[api]")
        {
            ""
        } else {
            "[sync.tenant]\nenabled = false\n"
        };
        let store = match &self.server {
            Some(url) => format!("url = \"{url}\""),
            None => format!("path = \"{}\"", self.database().display()),
        };
        let config = format!(
            "[webhook]\nlisten = \"127.0.0.1:0\"\nsecrets = [\"{SECRET}\"]\n{}\n\
             [ops]\nlisten = \"{}\"\n{}\n\
             [store]\n{store}\n\
             [watch]\n{}\n{}{listing}",
            self.webhook, self.ops_listen, self.ops, self.watch, self.tables,
        );
        let config = self.example.as_ref().unwrap_or(&config);
        let file = self.config_file();
        std::fs::write(&file, config).expect("the configuration is written");
        // It holds secrets: that others can read it is worth a warning.
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
    }

    pub fn command(arguments: &[&str], config: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cii-exporter"));
        command.args(arguments).arg("--config").arg(config).kill_on_drop(true);
        command
    }

    /// Runs a command with this configuration to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.write_config();
        let mut command = Self::command(arguments, &self.config_file());
        let output = command.envs(clock::variables(self.ahead)).output().await.expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended {
            code: output.status.code().unwrap_or(-1),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }
}
