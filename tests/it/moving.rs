//! The store from a file to a server and back: all of it or nothing.

mod everything;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use cii_simulator::Simulator;
use cii_test_cluster::{Cluster, Database, Options};
use rusqlite::{Connection, types::Value as Cell};
use serde_json::Value;

use crate::harness::{
    Body, Disk, Ended, Exporter, Protocol, Receiver, Setup, attribute, free_port, until,
};
use everything::fill;

/// A schedule that a test never meets.
const YEARLY: &str = "0 0 0 1 1 *";

/// The jobs that ask the service, each once at the first start.
const JOBS: [&str; 4] = ["users", "ips", "tenant", "service"];

/// A daemon whose database is in a file, whichever engine other tests run on.
fn on_file() -> Setup {
    Setup::new().in_file()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

async fn copy(setup: &Setup, from: &str, to: &str) -> Ended {
    setup.run(&["store", "copy", "--from", from, "--to", to]).await
}

fn assert_refused(ended: &Ended, why: &str) {
    assert!(ended.code == 1 && ended.errors.contains(why), "{why}: {ended:?}");
}

/// A database with the tables, and no data.
fn empty_schema(cluster: &Cluster) -> Database {
    let database = cluster.create_database();
    for script in [
        include_str!("../../src/store/postgres/schema/0001_initial.sql"),
        include_str!("../../src/store/postgres/schema/0002_deliveries_go.sql"),
        include_str!("../../src/store/postgres/schema/0003_event_hour.sql"),
    ] {
        cluster.sql(&database.name, script);
    }
    cluster.sql(&database.name, "UPDATE meta SET value = '3' WHERE key = 'schema_version'");
    database
}

/// How many rows all tables of a database have, but for those that a new schema has.
fn rows(cluster: &Cluster, database: &Database) -> u64 {
    let tables = cluster.sql(
        &database.name,
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
         AND relname NOT IN ('meta', 'cursor', 'head', 'lease')",
    );
    let count = |table| cluster.sql(&database.name, &format!("SELECT count(*) FROM {table}"));
    tables.lines().map(|table| count(table).trim().parse::<u64>().unwrap()).sum()
}

/// All rows of a file, by table.
fn dump(file: &Path) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let database = Connection::open(file).unwrap();
    let tables =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'";
    let mut tables = database.prepare(tables).unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let rows = |table: &String| {
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        let mut rows: Vec<Vec<Cell>> =
            statement.query_map([], read).unwrap().map(Result::unwrap).collect();
        rows.sort_by_key(|row| format!("{row:?}"));
        rows
    };
    tables.iter().map(|table| (table.clone(), rows(table))).collect()
}

/// What the API answers, but for what depends on the moment.
async fn answers(exporter: &Exporter) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in [
        "/checks",
        "/checks/no-mfa/users?limit=100",
        "/users/ada@example.com",
        "/watch",
        "/deliveries",
        "/events?limit=100",
        "/otlp",
    ] {
        let (status, mut answer) = exporter.api("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        forget_moments(&mut answer);
        answers.push(answer);
    }
    answers
}

fn forget_moments(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // Since when the collector is away is told by each process for itself.
            fields.retain(|name, _| !name.ends_with("_seconds") && name != "outage");
            fields.values_mut().for_each(forget_moments);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_moments),
        _ => {}
    }
}

/// The ids of events at the collector; each came once.
fn uids(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    let mut uids: Vec<_> = received
        .iter()
        .map(|line| attribute(line, "log.record.uid").unwrap().to_string())
        .collect();
    uids.sort();
    let count = uids.len();
    uids.dedup();
    assert_eq!(uids.len(), count, "an event came twice");
    uids
}

/// Waits until everything that is in the log was sent.
async fn until_sent(exporter: &Exporter) {
    until("an empty backlog", || async {
        let metrics = exporter.metrics().await;
        (metrics.get("cii_otlp_pending_events") == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_goes_on_on_the_server_and_back_in_a_file_where_it_was() {
    let database = Cluster::shared().create_database();
    let options = cii_simulator::Options { users: 30, ..cii_simulator::Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let mut receiver = Receiver::start().await;
    let exporter = on_file()
        .polling(&simulator, YEARLY)
        .tables(&format!(
            "[sync.tenant]\nschedule = \"{YEARLY}\"\n[sync.service]\nschedule = \"{YEARLY}\""
        ))
        .watch("users = [\"ada@example.com\"]\nips = [\"203.0.113.7\"]")
        .sending(&receiver, Protocol::Http)
        .start()
        .await;
    let deliver = async |exporter: &Exporter, id: &str| {
        let user = format!("{id}@example.com");
        let body = Body::new(id, "no-mfa", &["ada@example.com", &user]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
    };
    for job in JOBS {
        exporter.until_metric(&format!("cii_sync_up{{task=\"{job}\"}}"), 1.0).await;
    }
    for id in ["one", "two", "three"] {
        deliver(&exporter, id).await;
    }
    assert_eq!(exporter.post("no JSON").await.unwrap().0, 400);
    until_sent(&exporter).await;
    // What comes now waits for the collector, over the move.
    receiver.stop().await;
    deliver(&exporter, "waits").await;
    let (metrics, answered) = (exporter.metrics().await, answers(&exporter).await);
    let refused = copy(&on_file(), &text(&exporter.database()), &database.url).await;
    assert_refused(&refused, "stop it");

    let setup = exporter.stop().await;
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(moved.output.contains("the digests are equal"), "{moved:?}");
    assert!(moved.errors.contains("copying event: "), "a line a table: {moved:?}");
    let mut setup = setup.at(&database.url);
    for job in JOBS {
        let table = format!("[sync.{job}]\n");
        setup.replace(&table, &format!("{table}on_start = false\n"));
    }
    let exporter = setup.start().await;
    assert_eq!(exporter.metrics().await.of_tenant(), metrics.of_tenant());
    assert_eq!(answers(&exporter).await, answered);
    receiver.restart().await;
    until_sent(&exporter).await;
    // The same delivery is a repeat, also on the server.
    deliver(&exporter, "one").await;
    deliver(&exporter, "four").await;
    until_sent(&exporter).await;
    let sent = uids(&receiver);
    let (metrics, answered) = (exporter.metrics().await, answers(&exporter).await);
    let refused = copy(&on_file(), &database.url, "/nowhere/store.db").await;
    assert_refused(&refused, "in use by the replica");

    let setup = exporter.stop().await;
    let file = setup.database();
    fs::rename(&file, file.with_extension("former")).unwrap();
    let moved = copy(&setup, "config", &text(&file)).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let exporter = setup.in_file().start().await;
    assert_eq!(exporter.metrics().await.of_tenant(), metrics.of_tenant());
    assert_eq!(answers(&exporter).await, answered);
    deliver(&exporter, "five").await;
    until_sent(&exporter).await;
    let all = uids(&receiver);
    assert!(all.len() > sent.len() && sent.iter().all(|uid| all.contains(uid)));
    let (_, events) = exporter.api("GET", "/events?limit=1", None).await;
    assert!(events["events"][0]["seq"].is_number(), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_row_by_row_what_went() {
    let cluster = Cluster::shared();
    let database = cluster.create_database();
    let setup = on_file().start().await.stop().await;
    let file = setup.database();
    fill(&Connection::open(&file).unwrap());
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(!moved.output.contains("NUL"), "{moved:?}");
    let back = file.with_extension("back");
    let moved = setup
        .run(&["store", "copy", "--from", &database.url, "--to", &text(&back), "--quiet"])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert_eq!(moved.errors, "", "quiet");
    let (went, came) = (dump(&file), dump(&back));
    assert!(went.values().all(|rows| !rows.is_empty()), "every table has rows");
    for (table, rows) in &went {
        assert_eq!(rows, &came[table], "{table}");
    }
    let checked = Connection::open(&back).unwrap();
    let whole: String = checked.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    // Numbers that the server gives by itself go on behind those that came.
    let next = cluster.sql(
        &database.name,
        "INSERT INTO failure_closed (check_number, login, opened_at, closed_at, is_announced)
         VALUES (1, 'a', 1, 1, 0)
         RETURNING number > (SELECT max(number) FROM failure_closed)",
    );
    assert_eq!(next.trim(), "t");
    // From a server to another schema of it.
    let moved = setup
        .run(&[
            "store",
            "copy",
            "--from",
            &text(&back),
            "--to",
            &database.url,
            "--to-schema",
            "other",
        ])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    let moved = setup
        .run(&[
            "store",
            "copy",
            "--from",
            &database.url,
            "--from-schema",
            "other",
            "--to",
            &database.url,
            "--to-schema",
            "third",
        ])
        .await;
    assert_eq!(moved.code, 0, "{moved:?}");
    let count = |schema: &str| {
        cluster.sql(
            &database.name,
            &format!(
                "SELECT count(*), md5(string_agg(body, '' ORDER BY seq)) FROM {schema}.delivery"
            ),
        )
    };
    assert_eq!(count("third"), count("other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_a_server_cannot_hold_is_copied_as_a_daemon_would_have_written_it() {
    let database = Cluster::shared().create_database();
    let setup = on_file().start().await.stop().await;
    let file = Connection::open(setup.database()).unwrap();
    fill(&file);
    file.execute("UPDATE event SET body = 'a' || char(0) || 'b' WHERE seq = 1", []).unwrap();
    let moved = copy(&setup, "config", &database.url).await;
    assert_eq!(moved.code, 0, "{moved:?}");
    assert!(moved.output.contains("1 rows have a text with the character NUL"), "{moved:?}");
    let body = Cluster::shared().sql(&database.name, "SELECT body FROM event WHERE seq = 1");
    assert_eq!(body.trim(), "a\u{fffd}b");

    // In a key it would make another row of it, or the same as another one.
    let database = Cluster::shared().create_database();
    file.execute("UPDATE admin SET login = login || char(0)", []).unwrap();
    let refused = copy(&setup, "config", &database.url).await;
    assert_refused(&refused, "a row of the table admin cannot be copied: a key has");
    file.execute("DELETE FROM admin", []).unwrap();
    file.execute("UPDATE event SET body = CAST(x'61ff' AS TEXT) WHERE seq = 1", []).unwrap();
    let refused = copy(&setup, "config", &database.url).await;
    assert_refused(&refused, "event cannot be copied: a text is not UTF-8, in the column body");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_refused_with_what_to_do() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    let file = text(&setup.database());
    fill(&Connection::open(setup.database()).unwrap());
    let database = cluster.create_database();
    assert_eq!(copy(&setup, &file, &database.url).await.code, 0);
    let again = copy(&setup, &file, &database.url).await;
    assert_refused(&again, "has data already");
    assert_refused(&again, "DROP SCHEMA \"public\" CASCADE; CREATE SCHEMA \"public\"");
    assert_refused(
        &copy(&setup, &database.url, &file).await,
        "exists, and a copy replaces no file",
    );

    let files = copy(&setup, &file, "other.db").await;
    assert!(files.code == 64 && files.errors.contains("db backup"), "{files:?}");
    let mysql = copy(&setup, &file, "mysql://host/database").await;
    assert!(mysql.code == 64 && mysql.errors.contains("postgres://"), "{mysql:?}");
    let schema =
        setup.run(&["store", "copy", "--from", &file, "--to", "x", "--to-schema", "a"]).await;
    assert!(schema.code == 64 && schema.errors.contains("no schema"), "{schema:?}");
    let nobody = format!("postgres://postgres@127.0.0.1:{}/x", free_port());
    let nobody = copy(&setup, &file, &nobody).await;
    assert_refused(&nobody, "--to: ");
    assert!(nobody.errors.contains("nobody listens there") && !nobody.errors.contains("store.url"));
    assert_refused(&copy(&setup, &file, &cluster.url("missing")).await, "has no database");
    assert_refused(&copy(&setup, "missing.db", &database.url).await, "there is no file");

    // Somebody without rights.
    let locked = cluster.create_database();
    let name = &locked.name;
    cluster.sql(name, &format!("CREATE ROLE {name}_user LOGIN"));
    let user = locked.url.replace("postgres@", &format!("{name}_user@"));
    let refused = copy(&setup, &file, &user).await;
    assert_refused(&refused, "lacks a right: GRANT USAGE, CREATE ON SCHEMA public");
    cluster.sql(name, &format!("GRANT CREATE ON SCHEMA public TO {name}_user"));
    assert_eq!(copy(&setup, &file, &user).await.code, 0, "the rights that are asked for do");

    // A file of an older version.
    let older = Connection::open(setup.database()).unwrap();
    older.pragma_update(None, "user_version", 15).unwrap();
    let refused = copy(&setup, &file, &cluster.create_database().url).await;
    assert_refused(&refused, "`cii-exporter run` upgrades it");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_become_others_on_the_way_are_noticed_and_not_kept() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    fill(&Connection::open(setup.database()).unwrap());
    for (change, table) in [
        ("NEW.title := 'other'; RETURN NEW", "checks"),
        ("IF NEW.seq = 2 THEN RETURN NULL; END IF; RETURN NEW", "delivery"),
    ] {
        let database = empty_schema(cluster);
        cluster.sql(
            &database.name,
            &format!(
                "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN {change}; END $$;
                 CREATE TRIGGER change BEFORE INSERT ON {table}
                    FOR EACH ROW EXECUTE FUNCTION change()"
            ),
        );
        let refused = copy(&setup, "config", &database.url).await;
        assert_refused(&refused, "is not what was copied, and nothing of it is kept");
        let line = refused.output.lines().find(|line| line.trim_start().starts_with(table));
        assert!(line.is_some_and(|line| line.trim_end().ends_with("differs")), "{refused:?}");
        assert_eq!(refused.output.matches("differs").count(), 1, "{refused:?}");
        assert_eq!(rows(cluster, &database), 0);
        cluster.sql(&database.name, &format!("DROP TRIGGER change ON {table}"));
        assert_eq!(copy(&setup, "config", &database.url).await.code, 0, "repeatable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_leaves_nothing_on_the_server() {
    let cluster = Cluster::start(&Options::fast().set("client_connection_check_interval", "100ms"));
    let setup = on_file().start().await.stop().await;
    fill(&Connection::open(setup.database()).unwrap());
    setup.write_config();
    let database = empty_schema(&cluster);
    // It stays in the middle: one of its last tables waits.
    cluster.sql(
        &database.name,
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE INSERT ON listing FOR EACH ROW EXECUTE FUNCTION wait()",
    );
    let arguments = ["store", "copy", "--from", "config", "--to", &database.url];
    let mut command = Setup::command(&arguments, &setup.config_file()).spawn().unwrap();
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until("the middle", || async {
        (cluster.sql("postgres", sessions).trim() == "1").then_some(())
    })
    .await;
    command.kill().await.unwrap();
    until("the end of it", || async {
        (cluster.sql("postgres", sessions).trim() == "0").then_some(())
    })
    .await;
    assert_eq!(rows(&cluster, &database), 0);
    cluster.sql(&database.name, "DROP TRIGGER wait ON listing");
    assert_eq!(copy(&setup, "config", &database.url).await.code, 0, "repeatable");

    // Where there were no tables, there are none.
    let database = cluster.create_database();
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let setup = setup.at(&database.url);
    assert_eq!(cluster.sql(&database.name, tables).trim(), "0");
    cluster.sql(
        &database.name,
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'disk_full'; END $$;
         CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE INDEX')
            EXECUTE FUNCTION refuse()",
    );
    let refused = copy(&setup, &text(&setup.database()), &database.url).await;
    assert_refused(&refused, "SQLSTATE 53100");
    assert_eq!(cluster.sql(&database.name, tables).trim(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_leaves_no_file() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    fill(&Connection::open(setup.database()).unwrap());
    let database = cluster.create_database();
    assert_eq!(copy(&setup, "config", &database.url).await.code, 0);
    let back = setup.database().with_extension("back");
    let arguments = ["store", "copy", "--from", &database.url, "--to", &text(&back)];
    let locker = {
        let name = database.name.clone();
        tokio::task::spawn_blocking(move || {
            let lock = "BEGIN; LOCK TABLE listing; SELECT pg_sleep(3600)";
            let _ = Cluster::shared().try_sql(&name, lock);
        })
    };
    let of_this = format!("datname = '{}'", database.name);
    let count = |condition: &str| {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE";
        cluster.sql("postgres", &format!("{sql} {of_this} AND {condition}")).trim() == "1"
    };
    until("the lock", || async { count("wait_event = 'PgSleep'").then_some(()) }).await;
    let mut command = Setup::command(&arguments, &setup.config_file()).spawn().unwrap();
    until("the middle", || async { count("wait_event_type = 'Lock'").then_some(()) }).await;
    assert!(!back.exists(), "it has another name until it is whole");
    command.kill().await.unwrap();
    cluster.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of_this}"),
    );
    locker.await.unwrap();
    assert!(!back.exists());
    let again = setup.run(&arguments).await;
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(dump(&back), dump(&setup.database()));
    let beside: Vec<PathBuf> = fs::read_dir(back.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| text(path).contains(".moving"))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_is_told_and_nothing_is_kept() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    fill(&Connection::open(setup.database()).unwrap());
    let database = empty_schema(cluster);
    cluster.sql(
        &database.name,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER full_disk BEFORE INSERT ON delivery
            FOR EACH ROW EXECUTE FUNCTION full_disk()",
    );
    let refused = copy(&setup, "config", &database.url).await;
    assert_refused(&refused, "no space (SQLSTATE 53100)");
    assert_eq!(rows(cluster, &database), 0);
    cluster.sql(&database.name, "DROP TRIGGER full_disk ON delivery");
    assert_eq!(copy(&setup, "config", &database.url).await.code, 0);

    let back = setup.database().with_extension("back");
    let disk = Disk::of(&back);
    disk.fail("write ENOSPC");
    let arguments = ["store", "copy", "--from", &database.url, "--to", &text(&back)];
    let mut command = Setup::command(&arguments, &setup.config_file());
    let output = command.envs(disk.variables()).output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("full") && disk.hits() > 0, "{errors}");
    let is_left = |path: &Path| {
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        names.map(|entry| text(&entry.unwrap().path())).any(|name| name.contains(".moving"))
    };
    assert!(!back.exists() && !is_left(&back));
    disk.recover();
    assert_eq!(setup.run(&arguments).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_said_to_have_failed_is_not_there() {
    let setup = on_file().start().await.stop().await;
    let database = Cluster::shared().create_database();
    assert_eq!(copy(&setup, "config", &database.url).await.code, 0);
    let folder = setup.database().with_file_name("copies");
    fs::create_dir(&folder).unwrap();
    let back = folder.join("back.db");
    let arguments: [&[&str]; 2] = [
        &["store", "copy", "--from", &database.url, "--to", &text(&back)],
        &["db", "backup", &text(&back)],
    ];
    for arguments in arguments {
        let disk = Disk::of(&folder);
        // The folder's own: it alone ends so.
        disk.fail("sync EIO copies");
        let mut command = Setup::command(arguments, &setup.config_file());
        let output = command.envs(disk.variables()).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(disk.hits() > 0 && !back.exists(), "{errors}");
        disk.recover();
        let made = setup.run(arguments).await;
        assert_eq!(made.code, 0, "{made:?}");
        fs::remove_file(&back).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_may_go_on_for_a_trial_alone() {
    let database = Cluster::shared().create_database();
    let exporter = on_file().at(&database.url).start().await;
    let body = Body::new("one", "no-mfa", &["ada@example.com"]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    let back = exporter.database().with_extension("back");
    let arguments = ["store", "copy", "--from", "config", "--to", &text(&back)];
    assert_refused(&exporter.run(&arguments).await, "--while-running");
    let made = exporter.run(&[&arguments[..], &["--while-running"]].concat()).await;
    assert!(made.code == 0 && made.output.contains("went on"), "{made:?}");
    assert_eq!(dump(&back)["delivery"].len(), 1);
    // Nor is anything copied into a database that a daemon has open.
    let setup = on_file().start().await.stop().await;
    assert_refused(&copy(&setup, "config", &database.url).await, "in use by the replica");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_read_from_a_file() {
    let access = "host all all 127.0.0.1/32 scram-sha-256";
    let cluster = Cluster::start(&Options::fast().access(access));
    let database = cluster.create_database();
    cluster.sql("postgres", "CREATE ROLE mover LOGIN SUPERUSER PASSWORD 'let me/in'");
    let setup = on_file().start().await.stop().await;
    let url = database.url.replace("postgres@", "mover@");
    let (from, password) = (text(&setup.database()), setup.database().with_extension("password"));
    let arguments = ["store", "copy", "--from", &from, "--to", &url];
    let refused = setup.run(&arguments).await;
    assert_refused(&refused, "set --to-password-file");
    let file = text(&password);
    let with_file = [&arguments[..], &["--to-password-file", &file]].concat();
    fs::write(&password, "wrong\n").unwrap();
    let refused = setup.run(&with_file).await;
    assert_refused(&refused, "does not take the password; correct --to-password-file");
    assert!(!refused.errors.contains("wrong"), "{refused:?}");
    fs::write(&password, "").unwrap();
    assert_eq!(setup.run(&with_file).await.code, 64);
    fs::write(&password, "let me/in\n").unwrap();
    let both = [&with_file[..4], &["--to", &url.replace("mover@", "mover:x@")], &with_file[6..]];
    let both = setup.run(&both.concat()).await;
    assert!(both.code == 64 && both.errors.contains("keep one of the two"), "{both:?}");
    let made = setup.run(&with_file).await;
    assert_eq!(made.code, 0, "{made:?}");
}
