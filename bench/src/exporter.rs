//! The exporter as a process, with a configuration and a folder of its own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use crate::{Result, clock, http, load::Endpoint, process::Process};

const SECRET: &str = "a-secret-of-the-benchmarks";

/// How long a start may take; one with a large database includes its migration and projection.
const START_LIMIT: Duration = Duration::from_mins(2);

/// What an exporter is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    binary: PathBuf,
    /// Holds the database, the configuration and the log.
    folder: PathBuf,
    tables: String,
    /// The URL of a database on a server, in place of a file.
    server: Option<String>,
}

/// A running exporter; dropping it ends it.
pub(crate) struct Exporter {
    pub(crate) process: Process,
    pub(crate) ops: SocketAddr,
    webhook: SocketAddr,
    pub(crate) started_at: DateTime<Utc>,
    /// From the start of the process to the first 200 of `/-/ready`.
    pub(crate) ready_after: Duration,
}

impl Setup {
    /// Every default, in this folder; nothing is polled and nothing is sent.
    pub(crate) fn new(binary: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Self { binary, folder, tables: String::new(), server: None })
    }

    /// With its database on a server.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.server = Some(url.to_owned());
        self
    }

    /// More tables of the configuration.
    pub(crate) fn tables(mut self, lines: &str) -> Self {
        self.tables.push_str(lines);
        self
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("store.db")
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) -> Result<Exporter> {
        let (webhook, ops) = (http::free_address(), http::free_address());
        let store = match &self.server {
            Some(url) => format!("url = \"{url}\""),
            None => format!("path = \"{}\"", self.database().display()),
        };
        let config = self.folder.join("config.toml");
        let log = self.folder.join("exporter.log");
        fs::write(
            &config,
            format!(
                "[webhook]\nlisten = \"{webhook}\"\nsecrets = [\"{SECRET}\"]\n\
                 [ops]\nlisten = \"{ops}\"\n\
                 [store]\n{store}\n{}",
                self.tables
            ),
        )?;
        let mut command = Command::new(&self.binary);
        command.arg("run").arg("--config").arg(&config);
        let (started_at, begun) = (clock::now(), Instant::now());
        let mut process = Process::start(command, &log)?;
        let ready = http::until_ready(ops, "/-/ready", START_LIMIT);
        let ready_after = begun.elapsed();
        if let Err(error) = ready {
            let state = if process.is_running() { "runs" } else { "ended" };
            let text = fs::read_to_string(&log).unwrap_or_default();
            let from = text.lines().count().saturating_sub(5);
            let last: Vec<_> = text.lines().skip(from).collect();
            return Err(format!("{error}; it {state}; its log ends: {}", last.join("\n")).into());
        }
        Ok(Exporter { process, ops, webhook, started_at, ready_after })
    }
}

impl Exporter {
    /// Where it takes deliveries.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint {
            address: self.webhook,
            path: "/webhooks/cii".to_owned(),
            secret: SECRET.to_owned(),
        }
    }

    /// Ends it with SIGTERM.
    pub(crate) fn stop(self) -> Result<()> {
        self.process.stop()
    }
}
