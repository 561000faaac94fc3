//! The store from a file to a server and back: all of it or nothing.

mod broken_off;
mod everything;
mod refusals;
mod there_and_back;

use std::{collections::BTreeMap, path::Path};

use cii_test_cluster::{Cluster, Database};
use rusqlite::{Connection, types::Value as Cell};

use crate::harness::{Ended, Setup};

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
        include_str!("../../../src/store/postgres/schema/0001_initial.sql"),
        include_str!("../../../src/store/postgres/schema/0002_deliveries_go.sql"),
        include_str!("../../../src/store/postgres/schema/0003_event_hour.sql"),
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
