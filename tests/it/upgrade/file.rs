//! The file itself: who upgrades it, what schema it has, and what an upgrade leaves that fails.

use std::{collections::BTreeSet, fs, path::Path};

use rusqlite::Connection;

use super::{NO_MFA, old::Old, simulator, start};
use crate::harness::{Setup, until};

#[tokio::test]
async fn a_command_refuses_an_older_database_and_leaves_every_byte() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let setup = old.setup(&simulator, false);
        for arguments in
            [&["watch", "add", "user", "x@example.com"][..], &["watch", "list"], &["deliveries"]]
        {
            let ended = setup.run(arguments).await;
            assert!(ended.code != 0, "{old:?} {arguments:?}: {ended:?}");
            assert!(ended.errors.contains("`cii-exporter run` upgrades it"), "{ended:?}");
            assert!(fs::read(setup.database()).unwrap() == old.unpack("store.db.gz"), "{old:?}");
        }
    }
}

/// Tables, indexes and columns of a database, in the words of SQLite.
fn schema(database: &Path) -> BTreeSet<(String, String, Option<String>)> {
    let database = Connection::open(database).unwrap();
    let mut rows = database.prepare("SELECT type, name, sql FROM sqlite_schema").unwrap();
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[tokio::test]
async fn an_upgraded_database_is_sound_and_has_the_schema_of_a_new_one() {
    let new = Setup::new().start().await.stop().await;
    for old in Old::ALL {
        let (_simulator, exporter) = start(old).await;
        let setup = exporter.stop().await;
        assert_eq!(schema(&setup.database()), schema(&new.database()), "{old:?}");
        let database = Connection::open(setup.database()).unwrap();
        let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("PRAGMA integrity_check"), "ok", "{old:?}");
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM pragma_foreign_key_check"), 0, "{old:?}");
        // A second start finds nothing to do and shows the same.
        drop(database);
        let exporter = setup.start().await;
        assert_eq!(old.known(&exporter.metrics().await), old.tenant(), "{old:?}");
    }
}

/// Kills a start in the middle of the migration; the database as it was left.
async fn kill_in_migration(setup: &Setup) -> Connection {
    let mut child = Setup::command(&["run"], &setup.config_file())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let log = setup.database().with_file_name("store.db-wal");
    until("the migration's first pages", || async {
        fs::metadata(&log).ok().filter(|found| found.len() > 1_000_000)
    })
    .await;
    child.kill().await.unwrap();
    Connection::open(setup.database()).unwrap()
}

#[tokio::test]
async fn an_upgrade_that_is_killed_or_fails_leaves_the_database_as_it_was() {
    for old in Old::ALL {
        let simulator = simulator().await;
        let setup = old.setup(&simulator, false);
        // Much more than SQLite's cache, so that there is a log long before the end.
        let database = Connection::open(setup.database()).unwrap();
        database
            .execute_batch(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
                 INSERT INTO event (name, public, happened_at, observed_at, body, attributes)
                 SELECT 'cii.check.delivery', 1, i, i, printf('%0200d', i), '{}' FROM n;
                 PRAGMA wal_checkpoint(TRUNCATE)",
            )
            .unwrap();
        drop(database);
        let facts = |database: &Connection| -> (i64, i64, i64) {
            let sql = "SELECT (SELECT user_version FROM pragma_user_version),
                              (SELECT count(*) FROM event), (SELECT count(*) FROM watch_total)";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            database.query_row(sql, [], row).unwrap()
        };
        let before = facts(&Connection::open(setup.database()).unwrap());
        setup.write_config();
        let copy = setup.database().with_extension("copy");
        fs::copy(setup.database(), &copy).unwrap();
        let mut after = kill_in_migration(&setup).await;
        // On a busy machine the migration can be over before it is killed.
        let version = |database: &Connection| -> i64 {
            database.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
        };
        for _ in 0..5 {
            if version(&after) == before.0 {
                break;
            }
            drop(after);
            fs::copy(&copy, setup.database()).unwrap();
            after = kill_in_migration(&setup).await;
        }
        assert_eq!(facts(&after), before, "{old:?}");
        drop(after);

        // A script that cannot go on to its end: a table of its last lines is not there.
        let database = Connection::open(setup.database()).unwrap();
        database.execute_batch("ALTER TABLE user_application RENAME TO elsewhere").unwrap();
        drop(database);
        let failed = setup.run(&["run"]).await;
        assert!(failed.code == 1 && failed.errors.contains("user_application"), "{failed:?}");
        let database = Connection::open(setup.database()).unwrap();
        assert_eq!(facts(&database), before, "{old:?}");
        database.execute_batch("ALTER TABLE elsewhere RENAME TO user_application").unwrap();
        drop(database);

        // And then it succeeds.
        let exporter = setup.start().await;
        assert!(exporter.metrics().await.get(NO_MFA).is_some(), "{old:?}");
    }
}
