//! The service, the daemon and the collector of a walk.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use cii_simulator::{Options, Simulator, tenant::User, webhook::Target};
use fastrand::Rng;

use super::{
    compare,
    journal::Journal,
    model::{Model, Truth, Words},
    relay::Relay,
};
use crate::harness::{Exporter, Protocol, Receiver, SECRET, Setup, until};

/// How long a quiet point may take to come.
const PATIENCE: Duration = Duration::from_mins(3);
const ADDRESS: &str = "203.0.113.7";

/// A delivery of the walk's own.
#[derive(Clone)]
pub struct Sent {
    pub body: serde_json::Value,
    pub check: String,
    pub words: Words,
    pub logins: Vec<String>,
    /// Whether the filter let it through.
    pub is_accepted: bool,
}

pub struct World {
    pub rng: Rng,
    pub simulator: Simulator,
    pub receiver: Receiver,
    pub has_collector: bool,
    pub model: Model,
    /// Who newly fails what, and waits for the service's next delivery.
    pub waiting: BTreeMap<String, BTreeSet<String>>,
    /// Users whom something happened to since the last quiet point.
    pub touched: BTreeSet<String>,
    /// Users who were removed from the tenant, and may come back.
    pub removed: Vec<User>,
    pub last_sent: Option<Sent>,
    pub deliveries: usize,
    relay: Relay,
    exporter: Option<Exporter>,
    journal: Journal,
    settle: &'static str,
    /// Whether answers have the titles of checks, which the configuration explains.
    pub by_title: bool,
    /// The titles in the configuration, by id: those at the start.
    explained: BTreeMap<String, String>,
}

impl World {
    pub async fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let settle = if rng.u8(0..5) == 0 { "2s" } else { "0s" };
        let by_title = rng.u8(0..3) == 0;
        let protocol = if rng.bool() { Protocol::Http } else { Protocol::Grpc };
        eprintln!("oracle: seed {seed}, settle {settle}, by title: {by_title}, {protocol:?}");
        let options = Options { seed, users: 24, ..Options::default() };
        let simulator = Simulator::start(options).await.unwrap();
        let relay = Relay::start().await;
        let header = "x-api-client-token".to_owned();
        let target =
            Target { url: relay.url.clone(), header, secret: SECRET.to_owned(), check_ids: vec![] };
        simulator.add_webhook_target(target);
        let receiver = Receiver::start().await;
        let mut world = Self {
            rng,
            simulator,
            receiver,
            has_collector: true,
            model: Model::default(),
            waiting: BTreeMap::new(),
            touched: BTreeSet::new(),
            removed: Vec::new(),
            last_sent: None,
            deliveries: 0,
            relay,
            exporter: None,
            journal: Journal::default(),
            settle,
            by_title,
            explained: BTreeMap::new(),
        };
        world.populate();
        let setup = Setup::new()
            .tables(&world.tables(true))
            .sending(&world.receiver, protocol)
            .watch(&world.watch_lines());
        world.start(setup).await;
        world
    }

    /// Somebody fails each check at the first listing, so that all checks are known.
    fn populate(&mut self) {
        let logins = self.simulator.tenant(|tenant| tenant.logins());
        let ids: Vec<String> =
            self.simulator.tenant(|tenant| tenant.checks().map(|one| one.id.clone()).collect());
        for (login, id) in logins.iter().zip(&ids) {
            self.fail(login, id, true);
            let title = if self.by_title { self.title(id) } else { id.clone() };
            if self.by_title {
                self.explained.insert(id.clone(), title.clone());
            }
            self.model.words.insert(id.clone(), Words { title, severity: String::new() });
        }
        self.simulator.tenant(|tenant| tenant.failing_checks_by_title = self.by_title);
        self.model.configured = logins.into_iter().take(3).collect();
        self.model.ips = BTreeSet::from([ADDRESS.to_owned()]);
    }

    /// The title that the tenant gives a check.
    pub fn title(&self, id: &str) -> String {
        self.simulator
            .tenant(|tenant| tenant.check(id).map(|check| check.title.clone()))
            .unwrap_or_else(|| format!("Title of {id}"))
    }

    pub fn fail(&mut self, login: &str, id: &str, failing: bool) {
        if self.simulator.tenant(|tenant| tenant.set_failing(login, id, failing)) {
            let waiting = self.waiting.entry(id.to_owned()).or_default();
            if failing {
                waiting.insert(login.to_owned());
            } else {
                waiting.remove(login);
            }
            self.touched.insert(login.to_owned());
        }
    }

    fn tables(&self, is_live: bool) -> String {
        let simulator = &self.simulator;
        let schedule = if is_live { "* * * * * *" } else { "0 0 0 1 1 *" };
        let jobs = ["users", "ips", "tenant", "service"]
            .map(|job| format!("[sync.{job}]\nschedule = \"{schedule}\"\non_start = {is_live}\n"));
        let table = |(id, title)| format!("[checks.{id:?}]\ntitle = {title:?}\n");
        let titles: String = self.explained.iter().map(table).collect();
        format!(
            "[api]\nurl = {:?}\ntoken_url = {:?}\nclient_id = {:?}\nclient_secret = {:?}\n\
             timeout_seconds = 2\nretries = 1\nrequests_per_minute = 100000\n\
             [sync]\nsettle = {:?}\njitter_seconds = 0\nspread = false\n{}{titles}",
            simulator.graphql_url(),
            simulator.token_url(),
            simulator.client_id(),
            simulator.client_secret(),
            self.settle,
            jobs.concat(),
        )
    }

    fn watch_lines(&self) -> String {
        format!("users = {:?}\nips = {:?}", self.model.configured, self.model.ips)
            .replace('{', "[")
            .replace('}', "]")
    }

    pub fn exporter(&mut self) -> &mut Exporter {
        self.exporter.as_mut().expect("it runs")
    }

    async fn start(&mut self, setup: Setup) {
        let exporter = setup.start().await;
        self.relay.point_to(&exporter.webhook_url);
        self.exporter = Some(exporter);
    }

    pub async fn restart(&mut self, is_kill: bool) {
        let exporter = self.exporter.take().expect("it runs");
        let setup = if is_kill { exporter.kill().await } else { exporter.stop().await };
        self.start(setup).await;
    }

    /// Kills the daemon while a delivery is under way, and gives it the delivery again, as
    /// the service does with what was not acknowledged.
    pub async fn kill_at(&mut self, body: &serde_json::Value) {
        let exporter = self.exporter.take().expect("it runs");
        let (_, ()) = tokio::join!(exporter.post(body.to_string()), async {
            exporter.signal("KILL");
        });
        let setup = exporter.kill().await;
        self.start(setup).await;
        assert_eq!(self.exporter().deliver(body).await, 200);
    }

    /// Reads the configuration again, as the model has it now.
    pub async fn reload(&mut self) {
        let (watch, filter) = (self.watch_lines(), format!("{:?}", self.model.filter));
        let filter = filter.replace('{', "[").replace('}', "]");
        let exporter = self.exporter();
        exporter.setup().set_watch(&watch);
        exporter.setup().set_webhook(&format!("check_ids = {filter}"));
        exporter.setup().write_config();
        let reload = reqwest::Client::new().post(format!("{}/-/reload", exporter.ops_url));
        let answer = reload.send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, 200, "{}", answer.text().await.unwrap());
    }

    /// Notes where the log stands: nothing more comes of what is filtered out now.
    pub async fn hide(&mut self) {
        self.journal.read(self.exporter.as_ref().expect("it runs")).await;
        self.model.hide(self.journal.len());
    }

    pub fn truth(&self) -> Truth {
        self.simulator.tenant(|tenant| Truth {
            users: tenant.users().map(|user| (user.login.clone(), user.clone())).collect(),
            admins: tenant.admins.clone(),
            integrations: tenant.integrations.clone(),
            tenant_id: tenant.id.clone(),
            daily: tenant.daily_failing.last().map(|(_, total)| *total),
        })
    }

    /// Waits until everything was asked about again.
    pub async fn polls(&self, times: usize) {
        for operation in ["listEndUsers", "getIntegrationsStatus", "getEndUsersByIp"] {
            let before = self.simulator.requests().count(operation);
            until(operation, || async {
                (self.simulator.requests().count(operation) >= before + times).then_some(())
            })
            .await;
        }
    }

    /// Ends everything that is odd, and waits until nothing differs, twice.
    pub async fn quiet(&mut self) {
        self.simulator.faults().clear();
        if !self.has_collector {
            self.receiver.restart().await;
            self.has_collector = true;
        }
        for _ in 0..2 {
            self.polls(2).await;
            let begun = Instant::now();
            loop {
                let wrong = self.differences().await;
                if wrong.is_empty() {
                    break;
                }
                let log = self.exporter().log();
                let tail: Vec<_> = log.lines().rev().take(20).collect();
                assert!(
                    begun.elapsed() < PATIENCE,
                    "a quiet point never came:\n{}\n{tail:#?}",
                    wrong.join("\n")
                );
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        self.touched.clear();
    }

    async fn differences(&mut self) -> Vec<String> {
        let truth = self.truth();
        let exporter = self.exporter.as_ref().expect("it runs");
        let metrics = exporter.metrics().await;
        let mut wrong = compare::metrics(&self.model, &truth, &metrics);
        wrong.extend(compare::api(&self.model, &truth, &metrics, exporter).await);
        self.journal.read(exporter).await;
        wrong.extend(self.journal.counters(&self.model, &metrics));
        wrong.extend(self.journal.story(&self.model, &truth));
        wrong.extend(self.journal.collected(&self.receiver));
        if wrong.is_empty() {
            wrong.extend(compare::commands(&self.model, exporter).await);
        }
        wrong
    }

    /// Kills the daemon while it asks nothing, just after a delivery: the tenant's
    /// families are the same to the byte.
    pub async fn freeze(&mut self, body: &serde_json::Value) {
        let (live, frozen) = (self.tables(true), self.tables(false));
        let mut setup = self.exporter.take().expect("it runs").stop().await;
        setup.replace(&live, &frozen);
        self.start(setup).await;
        assert_eq!(self.exporter().deliver(body).await, 200);
        let before = compare::tenant_lines(&self.exporter().metrics().await);
        self.restart(true).await;
        let after = compare::tenant_lines(&self.exporter().metrics().await);
        let different: Vec<_> =
            before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
        assert!(before == after, "another tenant after the kill: {different:#?}");
        let mut setup = self.exporter.take().expect("it runs").kill().await;
        setup.replace(&frozen, &live);
        self.start(setup).await;
    }
}
