//! A start while the database cannot be used yet: the daemon waits, and comes up by itself.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
};

use cii_test_cluster::{Cluster, Options, Stop};
use tokio::process::Child;

use crate::harness::{Setup, until};

/// A daemon that need not have started yet.
struct Starting {
    child: Child,
    log: PathBuf,
}

impl Starting {
    fn of(setup: &Setup) -> Self {
        setup.write_config();
        let log = setup.config_file().with_file_name("log");
        let mut command = Setup::command(&["run"], &setup.config_file());
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

    async fn stop(mut self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().await.unwrap().success(), "{}", self.log());
    }
}

type Act<'a> = &'a dyn Fn();

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_used_yet_is_waited_for() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
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
        let daemon = Starting::of(&setup);
        daemon.until_told(&["the start waits for it", expected]).await;
        assert!(!daemon.log().contains("takes webhook deliveries"), "{expected}");
        mend();
        daemon.until_told(&["the start goes on"]).await;
        daemon.until_told(&["takes webhook deliveries at"]).await;
        assert!(!daemon.log().contains("s3cret"), "{}", daemon.log());
        daemon.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_start_that_waits() {
    let cluster = Cluster::start(&Options::fast());
    let database = cluster.create_database();
    cluster.stop(Stop::Fast);
    let setup = Setup::new().at(&database.url);
    let daemon = Starting::of(&setup);
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
