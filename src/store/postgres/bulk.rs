//! Many rows in one statement: one list per column, which the server zips.

use std::{fmt::Write as _, mem};

use tokio_postgres::types::{ToSql, Type};

use super::value;
use crate::store::sql::{Bulk, Deed, Field, Kind, Param};

/// Maximum number of rows per statement.
const MOST_ROWS: usize = 20_000;

/// Approximate maximum of bytes of text per statement. The server accepts 1 GB, but the text is
/// held in memory.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The statement that writes rows, given as one list per column.
pub(super) fn statement(bulk: &Bulk) -> String {
    let table = bulk.table();
    let names: Vec<_> = bulk.columns().map(Field::name).collect();
    let lists = bulk.columns().enumerate().map(|(position, field)| {
        let kind = match field.kind() {
            Kind::Integer => "bigint",
            Kind::Text => "text",
            Kind::Bytes | Kind::Body => "bytea",
        };
        format!("${}::{kind}[]", position + 1)
    });
    let lists = lists.collect::<Vec<_>>().join(", ");
    let names = names.join(", ");
    let rows = format!("unnest({lists}) AS given ({names})");
    match bulk.deed() {
        Deed::Insert => format!("INSERT INTO {table} ({names}) SELECT {names} FROM {rows}"),
        Deed::InsertMissing => format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM {rows} ON CONFLICT DO NOTHING"
        ),
        Deed::Put => format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM {rows}{}",
            bulk.on_conflict()
        ),
        Deed::Update => {
            let mut set = String::new();
            for (position, field) in bulk.rest().iter().enumerate() {
                let (comma, name) = (if position == 0 { "" } else { ", " }, field.name());
                // Writing to a string does not fail.
                let _ = if field.is_added() {
                    write!(set, "{comma}{name} = {table}.{name} + given.{name}")
                } else {
                    write!(set, "{comma}{name} = given.{name}")
                };
            }
            format!("UPDATE {table} SET {set} FROM {rows} WHERE {}", key_condition(bulk))
        }
        Deed::Delete => format!("DELETE FROM {table} USING {rows} WHERE {}", key_condition(bulk)),
    }
}

fn key_condition(bulk: &Bulk) -> String {
    let table = bulk.table();
    let same = bulk.key().iter().map(|field| {
        let name = field.name();
        format!("{table}.{name} = given.{name}")
    });
    same.collect::<Vec<_>>().join(" AND ")
}

/// Rows to send, by column.
pub(super) struct Lists {
    by_column: Vec<List>,
    rows: usize,
    bytes: usize,
}

enum List {
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Lists {
    pub(super) fn of(bulk: &Bulk) -> Self {
        let list = |field: &Field| match field.kind() {
            Kind::Integer => List::Integers(Vec::new()),
            Kind::Text => List::Texts(Vec::new()),
            Kind::Bytes | Kind::Body => List::Bytes(Vec::new()),
        };
        Self { by_column: bulk.columns().map(list).collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row; fails for a value that no column can hold.
    pub(super) fn add(&mut self, row: &[Param<'_>]) -> Result<(), &'static str> {
        if row.iter().any(|param| matches!(param, Param::TooLarge)) {
            return Err("a number is out of range");
        }
        for (list, param) in self.by_column.iter_mut().zip(row) {
            match (list, *param) {
                (List::Integers(list), Param::Integer(number)) => list.push(Some(number)),
                (List::Texts(list), Param::Text(text)) => {
                    self.bytes += text.len();
                    list.push(Some(value::text(text).into_owned()));
                }
                (List::Bytes(list), Param::Bytes(bytes)) => {
                    self.bytes += bytes.len();
                    list.push(Some(bytes.to_owned()));
                }
                (List::Bytes(list), Param::Text(text)) => {
                    self.bytes += text.len();
                    list.push(Some(text.as_bytes().to_owned()));
                }
                (List::Integers(list), _) => list.push(None),
                (List::Texts(list), _) => list.push(None),
                (List::Bytes(list), _) => list.push(None),
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether the maximum for one statement is reached.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= MOST_ROWS || self.bytes >= MOST_BYTES
    }

    /// Takes the rows to send, and leaves the columns empty.
    pub(super) fn take(&mut self) -> Vec<(Box<dyn ToSql + Sync + Send>, Type)> {
        (self.rows, self.bytes) = (0, 0);
        let taken = self.by_column.iter_mut().map(|list| -> (Box<dyn ToSql + Sync + Send>, Type) {
            match list {
                List::Integers(list) => (Box::new(mem::take(list)), Type::INT8_ARRAY),
                List::Texts(list) => (Box::new(mem::take(list)), Type::TEXT_ARRAY),
                List::Bytes(list) => (Box::new(mem::take(list)), Type::BYTEA_ARRAY),
            }
        });
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::{Columns, added, body, integer, params, text};

    const KEY: &[Field] = &[text("login"), integer("number")];
    const TIMES: &[Field] = &[added("times"), body("note")];

    #[test]
    fn a_list_for_each_column_becomes_rows() {
        assert_eq!(
            statement(&Bulk::put(Columns::new("entry", KEY, TIMES))),
            "INSERT INTO entry (login, number, times, note) \
             SELECT login, number, times, note \
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) \
             AS given (login, number, times, note) ON CONFLICT (login, number) DO UPDATE SET \
             times = entry.times + excluded.times, note = excluded.note"
        );
        assert_eq!(
            statement(&Bulk::update(Columns::new("entry", KEY, TIMES))),
            "UPDATE entry SET times = entry.times + given.times, note = given.note \
             FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[]) \
             AS given (login, number, times, note) \
             WHERE entry.login = given.login AND entry.number = given.number"
        );
        assert_eq!(
            statement(&Bulk::delete(Columns::new("entry", KEY, TIMES))),
            "DELETE FROM entry USING unnest($1::text[], $2::bigint[]) AS given (login, number) \
             WHERE entry.login = given.login AND entry.number = given.number"
        );
    }

    #[test]
    fn rows_are_sent_before_they_are_too_many() {
        let mut lists = Lists::of(&Bulk::put(Columns::new("entry", KEY, TIMES)));
        let long = "x".repeat(MOST_BYTES);
        lists.add(params!["a", 1_i64, None::<i64>, "note"]).unwrap();
        assert!(!lists.is_full() && !lists.is_empty());
        lists.add(params![long, 1_i64, 2_i64, None::<&str>]).unwrap();
        assert!(lists.is_full());
        assert_eq!(lists.take().len(), 4);
        assert!(lists.is_empty() && !lists.is_full());
        assert!(lists.add(params!["a", u64::MAX, 1_i64, "note"]).is_err());
    }
}
