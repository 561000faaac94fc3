//! The environment of the demo's daemon: a simulated service, a collector, a temporary folder.

use std::{net::SocketAddr, time::Duration};

use cii_exporter::{
    config::{Config, ConfigError, Environment},
    daemon::{Addresses, ConfigSource},
};
use cii_simulator::{Simulator, collector::Collector, webhook::Target};
use tempfile::TempDir;

use super::DemoError;

/// The webhook secret of the simulated service and the daemon.
const SECRET: &str = "the-secret-of-the-demo";
const HEADER: &str = "x-api-client-token";

/// Users that are watched from the start.
const WATCHED_USERS: usize = 12;
/// Addresses that are watched from the start.
const WATCHED_IPS: usize = 3;

/// The simulated service, and a collector unless the environment names one.
pub(super) struct Scene {
    folder: TempDir,
    simulator: Simulator,
    collector: Option<Collector>,
}

impl Scene {
    /// Starts all but the daemon.
    pub(super) async fn start(
        users: usize,
        seed: u64,
        change_every: Duration,
    ) -> Result<Self, DemoError> {
        let folder = TempDir::with_prefix("cii-exporter-demo-").map_err(DemoError::Folder)?;
        let simulator = Simulator::start(cii_simulator::Options {
            users,
            seed,
            change_interval: Some(change_every),
            ..cii_simulator::Options::default()
        })
        .await?;
        let is_elsewhere = Environment::of_process().has_collector();
        let collector = if is_elsewhere { None } else { Some(Collector::start().await?) };
        Ok(Self { folder, simulator, collector })
    }

    /// The collector in this process; `None` when the environment names another.
    pub(super) const fn collector(&self) -> Option<&Collector> {
        self.collector.as_ref()
    }

    /// The configuration of the daemon.
    pub(super) fn configuration(&self, webhook: SocketAddr, ops: SocketAddr) -> ConfigSource {
        let text = self.configuration_text(webhook, ops);
        // The standard OTLP variables may name a collector. The exporter's own variables are
        // ignored, so that settings of a real exporter do not change the demo.
        let load = move || -> Result<Config, ConfigError> {
            Config::from_text("demo", &text, &Environment::of_process().only_standard())
        };
        ConfigSource::new(load)
    }

    fn configuration_text(&self, webhook: SocketAddr, ops: SocketAddr) -> String {
        let (users, ips) = self.simulator.tenant(|tenant| {
            let users: Vec<String> = tenant.logins().into_iter().take(WATCHED_USERS).collect();
            let ips: Vec<String> = tenant
                .busiest_addresses()
                .into_iter()
                .take(WATCHED_IPS)
                .map(|(ip, _)| ip)
                .collect();
            (users, ips)
        });
        let simulator = &self.simulator;
        let otlp = self.collector.as_ref().map_or_else(String::new, |collector| {
            format!("[otlp]\nendpoint = \"{}\"\n", collector.http_endpoint())
        });
        format!(
            "[webhook]\nlisten = \"{webhook}\"\nheader = \"{HEADER}\"\nsecrets = [\"{SECRET}\"]\n\
             [ops]\nlisten = \"{ops}\"\nallow_unauthenticated = true\n\
             [api]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\
             [watch]\nusers = {users:?}\nips = {ips:?}\n\
             [sync]\nsettle = \"5s\"\n\
             [sync.users]\nschedule = \"*/5 * * * * *\"\n\
             [sync.ips]\nschedule = \"*/5 * * * * *\"\n\
             [sync.tenant]\nenabled = true\nschedule = \"*/10 * * * * *\"\n\
             [sync.service]\nschedule = \"*/10 * * * * *\"\n\
             [store]\npath = \"{}\"\n{otlp}",
            simulator.graphql_url(),
            simulator.token_url(),
            simulator.client_id(),
            simulator.client_secret(),
            self.folder.path().join("demo.db").display(),
        )
    }

    /// The list of URLs and folders that is printed at the start.
    pub(super) fn describe(&self, addresses: &Addresses) -> String {
        let collector = match &self.collector {
            Some(collector) => format!(
                "{} (in this process; OTEL_EXPORTER_OTLP_ENDPOINT names another)",
                collector.http_endpoint()
            ),
            None => "by OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
        };
        format!(
            "  metrics    {}\n  page       {}\n  webhooks   {}\n  service    {} (simulated)\n  \
             collector  {collector}\n  database   {} (removed at the end)\n",
            addresses.ops_url("/metrics"),
            addresses.ops_url("/"),
            addresses.webhook_url(),
            self.simulator.graphql_url(),
            self.folder.path().display()
        )
    }

    /// Registers the daemon's webhook with the simulated service, and triggers the first delivery.
    pub(super) async fn begin_deliveries(&self, addresses: &Addresses) {
        self.simulator.add_webhook_target(Target {
            url: addresses.webhook_url(),
            header: HEADER.to_owned(),
            secret: SECRET.to_owned(),
            check_ids: Vec::new(),
        });
        self.simulator.tick().await;
    }

    /// Stops service and collector. The folder is removed on drop.
    pub(super) async fn stop(self) {
        self.simulator.stop().await;
        if let Some(collector) = self.collector {
            collector.stop().await;
        }
    }
}
