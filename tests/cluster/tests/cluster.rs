//! What tests rely on when they use a cluster.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cii_test_cluster::{Cluster, Options, Replication, Stop};

#[test]
fn a_server_that_is_stopped_or_killed_comes_back_with_what_it_committed() {
    let cluster = Cluster::start(&Options::new());
    let database = cluster.create_database();
    let count = || cluster.sql(&database.name, "SELECT count(*) FROM it");
    cluster.sql(&database.name, "CREATE TABLE it (n int); INSERT INTO it VALUES (1)");
    cluster.restart(Stop::Fast);
    assert_eq!(count(), "1");
    cluster.restart(Stop::Immediate);
    assert_eq!(count(), "1");
    cluster.kill();
    assert!(cluster.try_sql(&database.name, "SELECT 1").is_err());
    cluster.start_again();
    assert_eq!(count(), "1");
}

#[test]
fn every_test_has_a_database_of_its_own() {
    let (one, other) = (Cluster::shared().create_database(), Cluster::shared().create_database());
    Cluster::shared().sql(&one.name, "CREATE TABLE it (n int)");
    assert!(Cluster::shared().try_sql(&other.name, "SELECT * FROM it").is_err());
}

#[test]
fn a_promoted_standby_has_what_the_primary_committed() {
    for replication in [Replication::Synchronous, Replication::Asynchronous] {
        let primary = Cluster::start(&Options::new());
        let standby = primary.standby("second", replication, &Options::new());
        assert!(standby.is_standby());
        primary.sql(
            "postgres",
            "SET synchronous_commit = remote_apply; CREATE TABLE it AS SELECT 1 AS n",
        );
        // Before it is killed, an asynchronous standby gets what it streams.
        if replication == Replication::Asynchronous {
            primary.stop(Stop::Fast);
        } else {
            primary.kill();
        }
        standby.promote();
        assert!(!standby.is_standby());
        assert_eq!(standby.sql("postgres", "SELECT n FROM it"), "1");
        standby.sql("postgres", "INSERT INTO it VALUES (2)");
    }
}

#[test]
fn a_paused_server_answers_later() {
    let cluster = Cluster::start(&Options::fast());
    cluster.pause();
    thread::scope(|scope| {
        let asked = scope.spawn(|| cluster.sql("postgres", "SELECT 1"));
        thread::sleep(Duration::from_millis(300));
        assert!(!asked.is_finished());
        cluster.resume();
        assert_eq!(asked.join().expect("it answers"), "1");
    });
}

/// What the process below says when its server runs.
const RUNS: &str = "CLUSTER_FOLDER";

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "an argument of the test's")]
    if let Some(path) = std::env::var_os(RUNS) {
        // The process that is killed: this test, started by itself.
        let cluster = Cluster::shared();
        fs::write(path, cluster.folder().as_os_str().as_encoded_bytes()).expect("writable");
        loop {
            thread::park();
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("folder");
    let mut process = Command::new(std::env::current_exe().expect("a test"))
        .args(["--exact", "nothing_is_left_when_the_process_is_killed"])
        .env(RUNS, &path)
        .stdout(Stdio::null())
        .spawn()
        .expect("a test");
    let wait = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait("the server runs", &|| fs::read_to_string(&path).is_ok_and(|text| !text.is_empty()));
    let cluster = fs::read_to_string(&path).expect("it was written");
    let server = fs::read_to_string(Path::new(&cluster).join("data/postmaster.pid"));
    let server = server.expect("it runs").lines().next().expect("its id").to_owned();
    process.kill().expect("it runs");
    process.wait().expect("a child");
    wait("its folder is gone", &|| !Path::new(&cluster).exists());
    // Whoever ends up as its parent may not have waited for it yet; a process that has ended has no
    // working directory.
    assert!(fs::read_link(Path::new("/proc").join(server).join("cwd")).is_err());
}
