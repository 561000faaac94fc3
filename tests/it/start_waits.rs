//! A start while the database cannot be used yet: the daemon waits, and comes up by itself.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cii_test_cluster::{Cluster, Options, Stop};
use serde_json::Value;
use tokio::{process::Child, task::JoinHandle};

use crate::harness::{Body, Setup, free_port, until};

/// A daemon that need not have started yet.
struct Starting {
    child: Child,
    log: PathBuf,
}

impl Starting {
    /// Starts one whose listeners have these addresses.
    fn of(setup: &Setup, [webhook, ops]: [&str; 2]) -> Self {
        setup.write_config();
        let log = setup.config_file().with_file_name("log");
        let mut command = Setup::command(&["run"], &setup.config_file());
        command.env("CII_EXPORTER_WEBHOOK__LISTEN", webhook).env("CII_EXPORTER_OPS__LISTEN", ops);
        let child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until a line of the log has all of these words.
    async fn until_told(&self, words: &[&str]) {
        until(&format!("{words:?} in the log"), || async {
            let log = self.log();
            let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
            log.lines().find(has_all).map(drop)
        })
        .await;
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    async fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().await.unwrap().success(), "{}", self.log());
    }
}

type Act<'a> = &'a dyn Fn();

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_used_yet_is_waited_for() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    let [webhook, ops] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let setup = Setup::new().at(&database.url.replace("postgres@", "postgres:s3cret@"));
    let alter = |what: &str| {
        cluster.sql("postgres", &format!("ALTER DATABASE {} {what}", database.name));
    };
    let read_only = || alter("SET default_transaction_read_only = on");
    let writable = || alter("RESET default_transaction_read_only");
    let cases: [(&str, Act<'_>, Act<'_>); 4] = [
        // There are no tables yet, and none can be made.
        ("promote it", &read_only, &writable),
        ("nobody listens there", &|| cluster.stop(Stop::Fast), &|| cluster.start_again()),
        ("promote it", &read_only, &writable),
        ("synchronous standby", &|| cluster.miss_a_standby(), &|| cluster.miss_no_standby()),
    ];
    for (expected, hinder, mend) in cases {
        hinder();
        let daemon = Starting::of(&setup, [&webhook, &ops]);
        daemon.until_told(&["the start waits for it", expected]).await;
        assert!(!daemon.log().contains("takes webhook deliveries"), "{expected}");
        assert_listeners_say_why(&webhook, &ops, expected).await;
        // A configuration manager that asks for a reload does not end it.
        daemon.signal("HUP");
        // Who is slow holds up nobody: no client meets a closed port from here on.
        let slow = [&webhook, &ops].map(|address| {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(b"GET /-/healthy HTTP/1.1\r\nhos").unwrap();
            client
        });
        mend();
        let clients = [&webhook, &ops].map(|address| keep_asking(address.clone()));
        daemon.until_told(&["takes webhook deliveries at"]).await;
        for client in clients {
            client.stop().await;
        }
        daemon.until_told(&["the start goes on"]).await;
        drop(slow);
        until("readiness", || async {
            (get(&format!("http://{ops}/-/ready")).await.0 == 200).then_some(())
        })
        .await;
        assert!(!daemon.log().contains("s3cret"), "{}", daemon.log());
        daemon.stop().await;
    }
}

/// A server that can be used at first, and not any more when the leader stores its rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_used_any_more_is_waited_for() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let [webhook, ops] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
    let setup = Setup::new().at(&database.url);
    setup.start().await.stop().await;
    cluster.sql(
        &database.name,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'a standby by now' USING ERRCODE = '25006'; END $$;
         CREATE TRIGGER refuses BEFORE INSERT OR UPDATE ON meta FOR EACH ROW
         WHEN (NEW.key = 'rules') EXECUTE FUNCTION refuse()",
    );
    let setup = Setup::new().at(&database.url).webhook("check_ids = [\"no-mfa\"]");
    let daemon = Starting::of(&setup, [&webhook, &ops]);
    daemon.until_told(&["the start waits for it", "a standby by now"]).await;
    assert_listeners_say_why(&webhook, &ops, "a standby by now").await;
    cluster.sql(&database.name, "DROP TRIGGER refuses ON meta");
    daemon.until_told(&["the start goes on"]).await;
    until("readiness", || async {
        (get(&format!("http://{ops}/-/ready")).await.0 == 200).then_some(())
    })
    .await;
    daemon.stop().await;
}

/// Another replica takes the lease over between this one's election and its first commit as leader.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_loses_its_lease_begins_anew() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    Setup::new().at(&database.url).start().await.stop().await;
    cluster.sql(
        &database.name,
        "CREATE SEQUENCE once;
         CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF nextval('once') = 1 THEN UPDATE head SET fence = fence + 1; END IF; RETURN NULL; END $$;
         CREATE TRIGGER takes_over AFTER UPDATE ON head FOR EACH ROW
         WHEN (NEW.fence <> OLD.fence AND pg_trigger_depth() = 0) EXECUTE FUNCTION take_over()",
    );
    let setup = Setup::new().at(&database.url).webhook("check_ids = [\"no-mfa\"]");
    let daemon = Starting::of(&setup, ["127.0.0.1:0"; 2]);
    daemon.until_told(&["another replica leads by now; the start begins anew"]).await;
    daemon.until_told(&["takes webhook deliveries at"]).await;
    daemon.stop().await;
}

/// A client that asks without a pause, each time by a new connection, and fails without an answer.
struct Client {
    asks: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

fn keep_asking(address: String) -> Client {
    let asks = Arc::new(AtomicBool::new(true));
    let task = tokio::spawn({
        let asks = asks.clone();
        async move {
            while asks.load(Ordering::Relaxed) {
                assert_eq!(get(&format!("http://{address}/-/healthy")).await.0, 200);
            }
        }
    });
    Client { asks, task }
}

impl Client {
    async fn stop(self) {
        self.asks.store(false, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A probe finds a process that lives and is not ready, and who delivers is to come again.
async fn assert_listeners_say_why(webhook: &str, ops: &str, why: &str) {
    for listener in [webhook, ops] {
        let healthy = get(&format!("http://{listener}/-/healthy")).await;
        assert_eq!(healthy, (200, "healthy\n".to_owned()));
    }
    // The log says it at the same time, of a look that may be another one.
    until(&format!("{why} in the answer"), || async {
        let (status, text) = get(&format!("http://{ops}/-/ready")).await;
        assert!(status == 503 && text.contains("waits for the database"), "{status} {text}");
        assert!(!text.contains("s3cret"), "{text}");
        text.contains(why).then_some(())
    })
    .await;
    let request = reqwest::Client::new().get(format!("http://{ops}/-/ready"));
    let answer = request.header("accept", "application/json").send().await.unwrap();
    let condition: Value = answer.json().await.unwrap();
    assert_eq!(condition["ready"], false);
    assert_eq!(condition["daemon"]["state"], "starting");
    assert_eq!(condition["api"]["state"], "unknown");
    assert_eq!(get(&format!("http://{ops}/metrics")).await.0, 503, "a scrape that fails says so");
    let body = Body::new("early", "no-mfa", &["a@example.com"]).json();
    let delivery = reqwest::Client::new().post(format!("http://{webhook}/webhooks/cii"));
    let answer = delivery.json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    // Whoever writes all of a large body before reading gets the answer, too.
    let delivery = reqwest::Client::new().post(format!("http://{webhook}/webhooks/cii"));
    let answer = delivery.body(vec![b'a'; 4 << 20]).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_start_that_waits() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    cluster.stop(Stop::Fast);
    let setup = Setup::new().at(&database.url);
    let daemon = Starting::of(&setup, ["127.0.0.1:0"; 2]);
    daemon.until_told(&["the start waits for it"]).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_which_schema_is_used() {
    let database = Cluster::shared().create_database();
    let setup = Setup::new().at(&database.url).variable("CII_EXPORTER_STORE__SCHEMA", "cii");
    let exporter = setup.start().await;
    let log = exporter.log();
    let starts = log.lines().find(|line| line.contains("starts")).unwrap();
    assert!(starts.contains("schema") && starts.contains("cii"), "{starts}");
    exporter.stop().await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'cii' AND tablename = 'head'";
    assert_eq!(Cluster::shared().sql(&database.name, tables), "1");
}
