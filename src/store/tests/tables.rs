//! The list of tables, compared with the schemas.

use cii_test_cluster::Cluster;

use super::*;
use crate::store::{
    sql::{Field, Kind},
    sqlite,
    tables::TABLES,
};

/// Tables that belong to one engine, and are not on the list.
const OWN_TABLES: [&str; 3] = ["sqlite_sequence", "commit_log", "lease"];
const OWN_COLUMNS: [(&str, &str); 2] = [("head", "commits"), ("head", "fence")];

/// A table's columns by name, each with its type, and those of its key in order.
type Columns = (BTreeMap<String, String>, Vec<String>);

/// The columns of the list, with the types of an engine.
fn columns_of_list(word: impl Fn(Kind) -> &'static str) -> BTreeMap<String, Columns> {
    let columns = |fields: &mut dyn Iterator<Item = &'static Field>| {
        fields.map(|field| (field.name().to_owned(), word(field.kind()).to_owned())).collect()
    };
    let key = |key: &[Field]| key.iter().map(|field| field.name().to_owned()).collect();
    TABLES
        .iter()
        .map(|table| (table.name().to_owned(), (columns(&mut table.columns()), key(table.key()))))
        .collect()
}

fn assert_same(found: BTreeMap<String, Columns>, listed: &BTreeMap<String, Columns>) {
    let found: BTreeMap<_, _> = found
        .into_iter()
        .filter(|(table, _)| !OWN_TABLES.contains(&table.as_str()))
        .map(|(table, (mut columns, key))| {
            columns.retain(|column, _| !OWN_COLUMNS.contains(&(&table, column)));
            (table, (columns, key))
        })
        .collect();
    let names = |tables: &BTreeMap<String, Columns>| tables.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(listed), "tables of the schema, and of src/store/tables.rs");
    for (table, columns) in &found {
        assert_eq!(columns, &listed[table], "{table}, in the schema and in src/store/columns.rs");
    }
}

#[test]
fn the_list_has_every_table_and_column_of_sqlite() {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    sqlite::make_newest(&mut connection).unwrap();
    let sql = "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master AS m
        JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table' ORDER BY m.name, c.pk";
    let mut statement = connection.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut found = BTreeMap::<String, Columns>::new();
    while let Some(row) = rows.next().unwrap() {
        let (columns, key) = found.entry(row.get(0).unwrap()).or_default();
        let column: String = row.get(1).unwrap();
        columns.insert(column.clone(), row.get(2).unwrap());
        if row.get::<_, i64>(3).unwrap() > 0 {
            key.push(column);
        }
    }
    let listed = columns_of_list(|kind| match kind {
        Kind::Integer => "INTEGER",
        Kind::Text => "TEXT",
        Kind::Bytes => "BLOB",
        Kind::Body => "ANY",
    });
    assert_same(found, &listed);
}

#[test]
fn the_list_has_every_table_and_column_of_postgresql() {
    let database = Cluster::shared().create_database();
    drop(Store::connect(Server::at(&database.url, None)).unwrap());
    let sql = "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
            coalesce(array_position(i.indkey::int2[], a.attnum), -1)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid
        LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY 1, 4";
    let mut found = BTreeMap::<String, Columns>::new();
    for line in Cluster::shared().sql(&database.name, sql).lines() {
        let fields: Vec<_> = line.split('|').collect();
        let [table, column, kind, place] = fields[..] else { panic!("{line}") };
        let (columns, key) = found.entry(table.to_owned()).or_default();
        columns.insert(column.to_owned(), kind.to_owned());
        if place != "-1" {
            key.push(column.to_owned());
        }
    }
    let listed = columns_of_list(|kind| match kind {
        Kind::Integer => "bigint",
        Kind::Text => "text",
        Kind::Bytes | Kind::Body => "bytea",
    });
    assert_same(found, &listed);
}
