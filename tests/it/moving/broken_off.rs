//! A copy that does not come to its end leaves nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cii_test_cluster::{Cluster, Options};
use rusqlite::Connection;

use super::{assert_refused, copy, dump, empty_schema, everything::fill, on_file, rows, text};
use crate::harness::{Disk, Setup, until};

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
