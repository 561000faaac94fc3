//! Commands where a PostgreSQL server has the database, beside daemons and without.

use std::{fs, process::Command, time::Duration};

use cii_test_cluster::{Cluster, Database, Options, Replication};
use reqwest::{
    Client,
    header::{self, HeaderValue},
};
use serde_json::Value;

use crate::harness::{Body, Ended, Exporter, Setup, free_port, until};

/// Commands that read a database, and make none.
const READING: [&[&str]; 7] = [
    &["report", "--since", "1d"],
    &["user", "a@example.com", "--history"],
    &["watch", "list"],
    &["export", "openmetrics", "--since", "1d"],
    &["deliveries"],
    &["otlp", "status"],
    &["webhook", "list"],
];

fn database() -> Database {
    Cluster::shared().create_database()
}

/// A daemon at a port that commands know.
async fn start(database: &Database) -> Exporter {
    let ops = format!("127.0.0.1:{}", free_port());
    Setup::new().at(&database.url).ops_listen(&ops).start().await
}

/// The findings about something.
fn found(ended: &Ended, check: &str) -> Vec<Value> {
    let all = ended.json()["checks"].as_array().unwrap().clone();
    all.into_iter().filter(|finding| finding["check"] == check).collect()
}

#[tokio::test]
async fn commands_work_on_the_database_while_a_daemon_has_it() {
    let database = database();
    let exporter = start(&database).await;
    let users = ["a@example.com", "b@example.com"];
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &users).json()).await, 200);
    let run = async |arguments: &[&str], code: i32, expected: &str| {
        let ended = exporter.run(arguments).await;
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
        let told = format!("{}{}", ended.output, ended.errors);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    };
    // There is no step of five minutes yet that could be exported.
    for arguments in READING.iter().filter(|arguments| arguments[0] != "export") {
        run(arguments, 0, "").await;
    }
    run(&["deliveries"], 0, "no-mfa").await;
    run(&["deliveries", "show", "1"], 0, "b@example.com").await;
    run(&["deliveries", "replay", "1"], 0, "changes nothing").await;
    run(&["user", "a@example.com", "--history"], 0, "cii.").await;
    run(&["watch", "add", "user", "w@example.com"], 0, "w@example.com is watched").await;
    run(&["watch", "list"], 0, "w@example.com").await;
    // The daemon, too, shows what a command wrote.
    until("the daemon watches the user", || async {
        let (_, list) = exporter.api("GET", "/watch", None).await;
        list.to_string().contains("w@example.com").then_some(())
    })
    .await;
    run(&["watch", "remove", "user", "w@example.com"], 0, "").await;
    run(&["purge", "user", "a@example.com", "--yes"], 0, "").await;
    let failing = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    exporter.until_metric(failing, 1.0).await;
    run(&["checks", "forget", "no-mfa"], 0, "no-mfa is forgotten").await;
    run(&["webhook", "test"], 1, "no daemon runs with this configuration").await;
    run(&["health"], 0, "store writes").await;
    run(&["health", "--live"], 0, "healthy").await;
    exporter.stop().await;
}

#[tokio::test]
async fn without_tables_commands_that_read_say_who_makes_them() {
    let database = database();
    let setup = Setup::new().at(&database.url);
    for arguments in READING {
        let ended = setup.run(arguments).await;
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        let expected = format!("/{} has no tables of the exporter yet", database.name);
        for expected in [expected.as_str(), "`cii-exporter run`", "store.schema"] {
            assert!(ended.errors.contains(expected), "{arguments:?}: {ended:?}");
        }
        assert_eq!(ended.errors.lines().count(), 1, "{arguments:?}: {ended:?}");
    }
    // One that writes makes them, as it makes a file.
    let ended = setup.run(&["watch", "add", "user", "a@example.com"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(setup.run(&["watch", "list"]).await.output.contains("a@example.com"));
}

#[tokio::test]
async fn what_is_for_files_says_what_is_for_servers() {
    let database = database();
    let setup = Setup::new().at(&database.url);
    for (arguments, instead) in [
        (&["db", "backup", "/tmp/copy"][..], "pg_dump"),
        (&["db", "check"], "pg_amcheck"),
        (&["db", "restore", "/tmp/copy"], "pg_restore"),
    ] {
        let ended = setup.run(arguments).await;
        assert_eq!(ended.code, 64, "{ended:?}");
        for expected in [instead, "is on a server", "docs/high-availability.md"] {
            assert!(ended.errors.contains(expected), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn a_purge_names_the_tables_that_the_server_does_not_vacuum() {
    let cluster = Cluster::shared();
    let database = database();
    let name = &database.name;
    start(&database).await.stop().await;
    let purge = ["purge", "user", "a@example.com", "--yes"];
    let of_owner = Setup::new().at(&database.url).run(&purge).await;
    assert!(of_owner.code == 0 && !of_owner.errors.contains("VACUUM"), "{of_owner:?}");

    cluster.sql(name, &format!("CREATE ROLE {name} LOGIN"));
    let all = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
    cluster.sql(name, &format!("{all} TO {name}"));
    let url = database.url.replace("postgres@", &format!("{name}@"));
    let ended = Setup::new().at(&url).run(&purge).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    for expected in ["VACUUM public.admin, ", "public.event", "run VACUUM as the owner"] {
        assert!(ended.errors.contains(expected), "{ended:?}");
    }
    cluster.sql(name, &format!("DROP OWNED BY {name}; DROP ROLE {name}"));
}

#[tokio::test]
async fn health_is_asked_where_the_daemon_listens() {
    let database = database();
    let port = free_port();
    let ops = format!("0.0.0.0:{port}");
    let setup = Setup::new().at(&database.url).ops_listen(&ops);
    let setup = setup.ops("allow_unauthenticated = true");
    let ended = setup.run(&["health"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    let expected = format!("http://127.0.0.1:{port} does not answer");
    assert!(ended.errors.contains(&expected), "{ended:?}");
    let unknown = Setup::new().at(&database.url).run(&["health"]).await;
    assert!(unknown.code == 1 && unknown.errors.contains("ops.listen has port 0"), "{unknown:?}");

    // One that asks for a user lives, and tells nothing more.
    let hash = bcrypt::hash("pw", 4).unwrap();
    let file = setup.config_file().with_file_name("users.yml");
    fs::write(&file, format!("basic_auth_users:\n  cii: {hash}\n")).unwrap();
    let setup = setup.ops(&format!("web_config = \"{}\"", file.display()));
    let headers = [(header::AUTHORIZATION, HeaderValue::from_static("Basic Y2lpOnB3"))];
    let user = Client::builder().default_headers(headers.into_iter().collect()).build().unwrap();
    let exporter = setup.start_with(user).await;
    let live = exporter.run(&["health", "--live"]).await;
    assert_eq!((live.code, live.output.trim()), (0, "healthy"), "{live:?}");
    let ready = exporter.run(&["health"]).await;
    assert!(ready.code == 1 && ready.errors.contains("its users alone"), "{ready:?}");
    exporter.stop().await;
}

#[tokio::test]
async fn doctor_tells_of_the_server_what_is_missing() {
    let cluster = Cluster::shared();
    let database = database();
    let setup = Setup::new().at(&database.url);
    let ended = setup.run(&["doctor", "--json"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let store = found(&ended, "store");
    let text = store[0]["found"].as_str().unwrap();
    assert!(text.contains("(PostgreSQL 15.") && text.contains("the first start makes"), "{text}");
    let failover = found(&ended, "failover");
    assert_eq!(failover[0]["verdict"], "warn", "{ended:?}");
    assert!(failover[0]["advice"].as_str().unwrap().contains("synchronous_standby_names"));
    assert_eq!(found(&ended, "disk").len(), 0, "{ended:?}");

    let user = format!("doctor_of_{}", database.name);
    cluster.sql(&database.name, &format!("CREATE ROLE {user} LOGIN"));
    let url = database.url.replace("postgres@", &format!("{user}@"));
    let port = free_port();
    for (url, expected) in [
        (url, "GRANT USAGE, CREATE ON SCHEMA public"),
        (format!("postgres://s3cret:s3cret@127.0.0.1:{port}/cii"), "nobody listens there"),
        (cluster.url("none").replace("postgres@", "postgres:s3cret@"), "create it"),
        (format!("{}?sslmode=require", database.url), "the server has no TLS"),
    ] {
        let setup = Setup::new().at(&url);
        for arguments in [&["doctor"][..], &["check-config", "--connect"]] {
            let ended = setup.run(arguments).await;
            assert_eq!(ended.code, 1, "{ended:?}");
            let told = format!("{}{}", ended.output, ended.errors);
            assert!(told.contains(expected), "{arguments:?}: {told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
        // Without --connect, nothing is contacted.
        assert_eq!(setup.run(&["check-config"]).await.code, 0);
    }
    cluster.sql(&database.name, &format!("DROP ROLE {user}"));

    let read_only = "SET default_transaction_read_only = on";
    cluster.sql("postgres", &format!("ALTER DATABASE {} {read_only}", database.name));
    let ended = setup.run(&["doctor", "--json"]).await;
    let advice = found(&ended, "store")[0]["advice"].to_string();
    assert!(advice.contains("default_transaction_read_only = off"), "{ended:?}");
}

#[tokio::test]
async fn doctor_warns_of_no_failover_that_loses_nothing() {
    let primary = Cluster::start(&Options::fast());
    let _standby = primary.standby("second", Replication::Synchronous, &Options::fast());
    let exporter = start(&primary.create_database()).await;
    let ended = exporter.run(&["doctor", "--json"]).await;
    assert_eq!(found(&ended, "failover")[0]["verdict"], "ok", "{ended:?}");
    assert_eq!(found(&ended, "store")[0]["verdict"], "ok", "{ended:?}");
    assert_eq!(found(&ended, "daemon")[0]["verdict"], "ok", "{ended:?}");
    exporter.stop().await;
}

#[tokio::test]
async fn a_start_that_waits_for_a_server_is_ended_by_a_signal() {
    // It takes connections, and says nothing.
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://cii@127.0.0.1:{port}/cii?connect_timeout=60");
    let setup = Setup::new().at(&url);
    setup.write_config();
    let mut daemon = Setup::command(&["run"], &setup.config_file()).spawn().unwrap();
    let _taken = silent.accept().await.unwrap();
    let id = daemon.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    let ended = daemon.wait().await.unwrap();
    // Else its own limit ends it, after 9.8 s, and not with success.
    assert!(ended.success(), "{ended:?}");
}

#[tokio::test]
async fn a_daemon_that_cannot_use_its_server_says_why_and_ends() {
    let url = Cluster::shared().url("none").replace("postgres@", "postgres:s3cret@");
    let setup = Setup::new().at(&url);
    let ended = tokio::time::timeout(Duration::from_mins(1), setup.run(&["run"])).await;
    let ended = ended.unwrap();
    assert_eq!(ended.code, 1, "{ended:?}");
    let advice = "CREATE DATABASE \"none\" OWNER \"postgres\"";
    for expected in ["no database \"none\"", advice] {
        assert!(ended.errors.contains(expected), "{ended:?}");
    }
    assert!(!ended.errors.contains("s3cret"), "{ended:?}");
}

#[tokio::test]
async fn what_lets_a_user_connect_can_be_run_as_it_is_told() {
    let cluster = Cluster::shared();
    let database = database();
    let name = &database.name;
    cluster.sql("postgres", &format!("CREATE ROLE \"{name}-User\" LOGIN"));
    cluster.sql("postgres", &format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"));
    cluster.sql(name, &format!("GRANT CREATE, USAGE ON SCHEMA public TO \"{name}-User\""));
    let url = database.url.replace("postgres@", &format!("{name}-User@"));
    let setup = Setup::new().at(&url);
    let ended = setup.run(&["run"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    let (_, statement) = ended.errors.trim().rsplit_once("run ").unwrap();
    assert!(statement.starts_with("GRANT CONNECT ON DATABASE"), "{ended:?}");
    cluster.sql("postgres", statement);
    setup.start().await.stop().await;
    let drop = format!("DROP OWNED BY \"{name}-User\" CASCADE; DROP ROLE \"{name}-User\"");
    cluster.sql(name, &drop);
}

/// What the server says of itself, in words of the test's own: a function that is found before the
/// server's.
const OLDER: &str = "CREATE SCHEMA older;
    CREATE FUNCTION older.current_setting(text) RETURNS text LANGUAGE sql AS $$
        SELECT CASE $1
            WHEN 'server_version_num' THEN '140009'
            WHEN 'server_version' THEN '14.9'
            ELSE pg_catalog.current_setting($1)
        END
    $$";

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_with_its_version() {
    let cluster = Cluster::shared();
    let database = database();
    cluster.sql(&database.name, OLDER);
    let path = "SET search_path = older, pg_catalog, public";
    cluster.sql("postgres", &format!("ALTER DATABASE {} {path}", database.name));
    let setup = Setup::new().at(&database.url);
    for arguments in [&["run"][..], &["check-config", "--connect"], &["doctor"], &["report"]] {
        let ended = setup.run(arguments).await;
        assert_eq!(ended.code, 1, "{arguments:?}: {ended:?}");
        let told = format!("{}{}", ended.output, ended.errors);
        let expected = "runs PostgreSQL 14.9, and 15 or newer is needed: upgrade it";
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('older', 'public')";
    assert_eq!(cluster.sql(&database.name, tables), "0", "nothing is made there");
}
