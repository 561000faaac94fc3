//! Reads all rows of a table, in the order of its key, in slices.

use std::fmt::Write as _;

use super::digest::Digest;
use crate::store::{
    SqlError, SqlErrorKind, StoreError, postgres, row, save,
    sql::{Cell, Connection, Field, Kind, Param, Row},
    tables::Table,
};

/// The treatment of texts that not every engine can store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// Texts are taken unchanged.
    Any,
    /// Texts are taken in the form that PostgreSQL can store, as a daemon would write them: U+FFFD
    /// replaces the NUL character.
    WithoutNul,
}

/// The number of rows of a table.
pub(super) fn count(connection: &dyn Connection, table: &Table) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {} WHERE {}", table.name(), table.copied());
    connection.count(&sql, &[])
}

/// Whether a table has rows that a new schema does not have.
pub(super) fn has_others(connection: &dyn Connection, table: &Table) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 1", table.name(), table.others());
    connection.exists(&sql, &[])
}

/// Reads all rows and passes each one to `take`, with values that the other engine can store;
/// returns their digest. `rest` is called after each slice with the number of rows so far.
pub(super) fn read_each(
    connection: &dyn Connection,
    table: &Table,
    texts: Texts,
    mut take: impl FnMut(&[Param<'_>]) -> Result<(), StoreError>,
    mut rest: impl FnMut(u64),
) -> Result<Digest, StoreError> {
    let (first, next) = (statement(table, false), statement(table, true));
    let mut digest = Digest::new();
    let mut key: Vec<Value> = Vec::new();
    loop {
        let sql = if key.is_empty() { &first } else { &next };
        let after: Vec<_> = key.iter().map(Value::param).collect();
        let (mut found, mut last) = (0, Vec::new());
        connection.each(sql, &after, |row| {
            let values = values(row, table)?;
            found += 1;
            if found == table.slice() {
                last = values.iter().take(table.key().len()).map(Value::of).collect();
            }
            if texts == Texts::WithoutNul && has_nul(&values) {
                if has_nul(&values[..table.key().len()]) {
                    return Err(mismatch(
                        table,
                        "a key has the character NUL, which PostgreSQL \
                        cannot hold",
                    ));
                }
                let held: Vec<_> = values.iter().map(Value::of_without_nul).collect();
                let held: Vec<_> = held.iter().map(Value::param).collect();
                digest.add(table, &held);
                digest.count_replaced();
                return take(&held);
            }
            digest.add(table, &values);
            take(&values)
        })?;
        rest(digest.rows());
        if found < table.slice() {
            return Ok(digest);
        }
        key = last;
    }
}

/// The statement for a slice: the first one, or one after a key.
fn statement(table: &Table, is_behind: bool) -> String {
    let names = |fields: &mut dyn Iterator<Item = &'static Field>| {
        fields.map(Field::name).collect::<Vec<_>>().join(", ")
    };
    let (columns, key) = (names(&mut table.columns()), names(&mut table.key().iter()));
    let mut sql = format!("SELECT {columns} FROM {} WHERE {}", table.name(), table.copied());
    // Writing to a string does not fail.
    if is_behind {
        let given = (1..=table.key().len()).map(|number| format!("?{number}"));
        let _ = write!(sql, " AND ({key}) > ({})", given.collect::<Vec<_>>().join(", "));
    }
    let _ = write!(sql, " ORDER BY {key} LIMIT {}", table.slice());
    sql
}

/// A row's values, each with the type of its column.
fn values<'a>(row: &Row<'a>, table: &Table) -> Result<Vec<Param<'a>>, StoreError> {
    let mut values = Vec::with_capacity(table.columns().count());
    let mut form = row::body::PLAIN;
    for (position, column) in table.columns().enumerate() {
        let value = match (column.kind(), row.get::<Cell<'a>>(position)?) {
            (_, Cell::Null) => Param::Null,
            (Kind::Integer, Cell::Integer(number)) => {
                if column.name() == "body_form" {
                    form = number;
                }
                Param::Integer(number)
            }
            (Kind::Text, Cell::Text(text)) => {
                Param::Text(std::str::from_utf8(text).map_err(|_| {
                    let what = format!("a text is not UTF-8, in the column {}", column.name());
                    mismatch(table, &what)
                })?)
            }
            (Kind::Bytes, Cell::Bytes(bytes)) => Param::Bytes(bytes),
            // The column before it has its form.
            (Kind::Body, Cell::Text(bytes) | Cell::Bytes(bytes)) => save::stored_body(form, bytes),
            _ => {
                let what =
                    format!("another value than expected is in the column {}", column.name());
                return Err(mismatch(table, &what));
            }
        };
        values.push(value);
    }
    Ok(values)
}

fn has_nul(values: &[Param<'_>]) -> bool {
    values.iter().any(|value| matches!(value, Param::Text(text) if text.contains('\0')))
}

fn mismatch(table: &Table, what: &str) -> StoreError {
    let text = format!("a row of the table {} cannot be copied: {what}", table.name());
    SqlError::new(SqlErrorKind::UnreadableRow, &text).into()
}

/// An owned value.
enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    fn of(param: &Param<'_>) -> Self {
        match *param {
            Param::Integer(number) => Self::Integer(number),
            Param::Text(text) => Self::Text(text.to_owned()),
            Param::Bytes(bytes) => Self::Bytes(bytes.to_owned()),
            Param::Null | Param::TooLarge | Param::Integers(_) | Param::Texts(_) => Self::Null,
        }
    }

    fn of_without_nul(param: &Param<'_>) -> Self {
        match *param {
            Param::Text(text) => Self::Text(postgres::storable_text(text).into_owned()),
            _ => Self::of(param),
        }
    }

    fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Integer(number) => Param::Integer(*number),
            Self::Text(text) => Param::Text(text),
            Self::Bytes(bytes) => Param::Bytes(bytes),
        }
    }
}
