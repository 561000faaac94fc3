//! A database with rows in every table, and odd values in them.

use rusqlite::{Connection, params_from_iter, types::Value};

/// Rows of each table.
const ROWS: usize = 1100;

/// Fills every table of a database in which nothing happened yet.
pub(super) fn fill(database: &Connection) {
    // Those of the start, and what an engine keeps for itself, stay.
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT IN ('sqlite_sequence', 'meta', 'cursor', 'head')";
    let mut tables = database.prepare(tables).unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    database.execute_batch("PRAGMA foreign_keys = OFF; BEGIN").unwrap();
    for table in tables {
        let mut columns = database
            .prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")
            .unwrap();
        let columns: Vec<Column> = columns
            .query_map([&table], |row| {
                Ok(Column {
                    name: row.get(0)?,
                    kind: row.get(1)?,
                    needs_value: row.get(2)?,
                    is_key: row.get::<_, i64>(3)? > 0,
                })
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        database.execute(&format!("DELETE FROM {table}"), []).unwrap();
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert =
            database.prepare(&format!("INSERT INTO {table} VALUES ({places})")).unwrap();
        let rows = match table.as_str() {
            "otlp_start" => 1,
            "listing" => 2,
            _ => ROWS,
        };
        for row in 1..=rows {
            let values = columns.iter().map(|column| column.value(row));
            insert.execute(params_from_iter(values)).unwrap();
        }
    }
    database
        .execute_batch(
            "UPDATE head SET event = 1100, public_events = 7, delivery = 2000, check_number = 1100,
                listing = 9, users = 3, ips = 4, failing_people = 5, followed = 6, new_ips = 8,
                new_countries = 10;
             UPDATE cursor SET seq = 1000;
             INSERT OR REPLACE INTO meta (key, value) VALUES ('tenant_id', 'ä ö 東');
             COMMIT",
        )
        .unwrap();
}

struct Column {
    name: String,
    kind: String,
    needs_value: bool,
    is_key: bool,
}

impl Column {
    fn value(&self, row: usize) -> Value {
        let number = i64::try_from(row).unwrap();
        let byte = u8::try_from(row % 256).unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        match (self.name.as_str(), self.kind.as_str()) {
            ("kind", _) => text(["user", "ip"][row % 2]),
            ("outcome", _) => text("accepted"),
            ("state", "TEXT") if self.is_key => text(["done", "under_way"][row - 1]),
            ("body_form", _) => Value::Integer((row.is_multiple_of(4)).into()),
            ("body", "ANY") => match row % 4 {
                0 => Value::Blob(vec![0x28, 0xb5, 0, 0xff, byte]),
                1 => text("{\"a\": \"text\"}"),
                2 => Value::Blob(b"with a \0 in it".to_vec()),
                _ => Value::Null,
            },
            (name, _) if name.starts_with("is_") || name == "public" || name == "gave_empty" => {
                Value::Integer(number % 2)
            }
            ("status", "INTEGER") => Value::Integer(if row.is_multiple_of(3) { 400 } else { 200 }),
            (_, "INTEGER") if self.is_key => Value::Integer(number),
            // In another order than their numbers, and longer than ASCII.
            (_, "TEXT") if self.is_key || self.name == "id" => {
                text(&format!("{}-ä\u{1f600}-{row}", row * 7919 % 1000))
            }
            (_, "BLOB") if row.is_multiple_of(2) => Value::Blob(vec![byte; 16]),
            _ if !self.needs_value && row.is_multiple_of(3) => Value::Null,
            (_, "INTEGER") => Value::Integer([0, -1, i64::MAX, i64::MIN, number][row % 5]),
            (_, "TEXT") => text(&["", "a'b\"\\", "東京\n\t", "[]"][row % 4].repeat(3)),
            _ => Value::Null,
        }
    }
}
