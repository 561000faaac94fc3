//! Statements that write many rows.

use std::{fmt::Write as _, sync::OnceLock};

use super::Param;

/// How many rows of a table are written. Each row has the values of its key, followed by those of
/// its other columns.
///
/// An engine in this process runs [`by_row`](Self::by_row) once per row. A remote engine can send
/// all rows in one statement, because the description has all columns.
#[derive(Debug)]
pub(in crate::store) struct Bulk {
    columns: Columns,
    deed: Deed,
    by_row: OnceLock<String>,
    in_lists: OnceLock<String>,
}

/// Columns of a table: those of its key, followed by others.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Columns {
    table: &'static str,
    key: &'static [Field],
    rest: &'static [Field],
}

impl Columns {
    pub(in crate::store) const fn new(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
    ) -> Self {
        Self { table, key, rest }
    }

    /// The key, and these columns.
    pub(in crate::store) const fn only(self, rest: &'static [Field]) -> Self {
        Self { rest, ..self }
    }

    /// Leaves out the last columns.
    pub(in crate::store) const fn without_last(self, number: usize) -> Self {
        self.only(self.rest.split_at(self.rest.len() - number).0)
    }

    /// Leaves out the key, which the engine assigns.
    pub(in crate::store) const fn without_key(self) -> Self {
        Self { key: &[], ..self }
    }
}

/// The kind of a [`Bulk`] write.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Deed {
    Insert,
    InsertMissing,
    Put,
    Update,
    Delete,
}

/// A column of a [`Bulk`].
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Field {
    name: &'static str,
    kind: Kind,
    is_added: bool,
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Kind {
    Integer,
    Text,
    Bytes,
    Body,
}

impl Field {
    pub(in crate::store) const fn name(&self) -> &'static str {
        self.name
    }

    pub(in crate::store) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a value is added to the stored one.
    pub(in crate::store) const fn is_added(&self) -> bool {
        self.is_added
    }
}

/// A column of numbers, flags or moments.
pub(in crate::store) const fn integer(name: &'static str) -> Field {
    Field { name, kind: Kind::Integer, is_added: false }
}

/// A column of texts.
pub(in crate::store) const fn text(name: &'static str) -> Field {
    Field { name, kind: Kind::Text, is_added: false }
}

/// A column of bytes.
pub(in crate::store) const fn bytes(name: &'static str) -> Field {
    Field { name, kind: Kind::Bytes, is_added: false }
}

/// A column of bytes, which are stored as text if they are text, so that people can read them.
pub(in crate::store) const fn body(name: &'static str) -> Field {
    Field { name, kind: Kind::Body, is_added: false }
}

/// A column of numbers that are added to the stored value if the row exists.
pub(in crate::store) const fn added(name: &'static str) -> Field {
    Field { name, kind: Kind::Integer, is_added: true }
}

impl Bulk {
    /// Inserts rows that do not exist.
    pub(in crate::store) const fn insert(columns: Columns) -> Self {
        Self::new(columns, Deed::Insert)
    }

    /// Inserts rows that do not exist; existing ones stay unchanged.
    pub(in crate::store) const fn insert_missing(columns: Columns) -> Self {
        Self::new(columns, Deed::InsertMissing)
    }

    /// Inserts rows, or updates existing rows with the same key.
    pub(in crate::store) const fn put(columns: Columns) -> Self {
        Self::new(columns, Deed::Put)
    }

    /// Updates rows by key; a missing row is ignored.
    pub(in crate::store) const fn update(columns: Columns) -> Self {
        Self::new(columns, Deed::Update)
    }

    /// Deletes rows by key. A row has no other values.
    pub(in crate::store) const fn delete(columns: Columns) -> Self {
        Self::new(columns.only(&[]), Deed::Delete)
    }

    const fn new(columns: Columns, deed: Deed) -> Self {
        Self { columns, deed, by_row: OnceLock::new(), in_lists: OnceLock::new() }
    }

    /// The statement for one row, whose values are the parameters.
    pub(in crate::store) fn by_row(&self) -> &str {
        self.by_row.get_or_init(|| match self.deed {
            Deed::Insert => self.inserted(),
            Deed::InsertMissing => self.inserted() + " ON CONFLICT DO NOTHING",
            Deed::Put => self.inserted() + &self.on_conflict(),
            Deed::Update => self.updated(),
            Deed::Delete => self.deleted(),
        })
    }

    /// The statement for many rows, with one list per column. A remote engine builds it once, with
    /// `make`.
    pub(in crate::store) fn in_lists(&self, make: impl FnOnce(&Self) -> String) -> &str {
        self.in_lists.get_or_init(|| make(self))
    }

    pub(in crate::store) const fn table(&self) -> &'static str {
        self.columns.table
    }

    pub(in crate::store) const fn deed(&self) -> Deed {
        self.deed
    }

    /// The key columns.
    pub(in crate::store) const fn key(&self) -> &'static [Field] {
        self.columns.key
    }

    /// The columns after the key.
    pub(in crate::store) const fn rest(&self) -> &'static [Field] {
        self.columns.rest
    }

    /// Whether a row has a value of the right type for each column. Not every engine checks this.
    pub(in crate::store) fn takes(&self, row: &[Param<'_>]) -> bool {
        let fits = |(field, param): (&Field, &Param<'_>)| match (field.kind, param) {
            (_, Param::Null)
            | (Kind::Integer, Param::Integer(_) | Param::TooLarge)
            | (Kind::Text, Param::Text(_))
            | (Kind::Bytes, Param::Bytes(_))
            | (Kind::Body, Param::Text(_) | Param::Bytes(_)) => true,
            (Kind::Integer | Kind::Text | Kind::Bytes | Kind::Body, _) => false,
        };
        row.len() == self.columns().count() && self.columns().zip(row).all(fits)
    }

    /// All columns, in the order of a row's values.
    pub(in crate::store) fn columns(&self) -> impl Iterator<Item = &'static Field> {
        self.columns.key.iter().chain(self.columns.rest)
    }

    fn inserted(&self) -> String {
        let parameters = (1..=self.columns().count()).map(|number| format!("?{number}"));
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.columns.table,
            names(self.columns()),
            parameters.collect::<Vec<_>>().join(", ")
        )
    }

    /// The conflict clause, for existing rows.
    pub(in crate::store) fn on_conflict(&self) -> String {
        let mut sql = format!(" ON CONFLICT ({}) DO ", names(self.columns.key.iter()));
        for (position, Field { name, is_added, .. }) in self.columns.rest.iter().enumerate() {
            let before = if position == 0 { "UPDATE SET" } else { "," };
            // Writing to a string does not fail.
            let _ = match is_added {
                true => {
                    write!(sql, "{before} {name} = {}.{name} + excluded.{name}", self.columns.table)
                }
                false => write!(sql, "{before} {name} = excluded.{name}"),
            };
        }
        sql
    }

    fn updated(&self) -> String {
        let set = (self.columns.key.len() + 1..).zip(self.columns.rest).map(|(number, field)| {
            let Field { name, is_added, .. } = field;
            if *is_added {
                format!("{name} = {name} + ?{number}")
            } else {
                format!("{name} = ?{number}")
            }
        });
        let set = set.collect::<Vec<_>>().join(", ");
        format!("UPDATE {} SET {set} WHERE {}", self.columns.table, self.found())
    }

    fn deleted(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.columns.table, self.found())
    }

    /// The condition that finds a row by its key.
    fn found(&self) -> String {
        let conditions = (1..).zip(self.columns.key);
        let conditions = conditions.map(|(number, field)| format!("{} = ?{number}", field.name));
        conditions.collect::<Vec<_>>().join(" AND ")
    }
}

fn names<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    fields.map(|field| field.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::params;

    const KEY: &[Field] = &[text("login"), integer("number")];
    const TIMES: &[Field] = &[added("times"), integer("at")];
    const BODY: &[Field] = &[body("body")];
    const REST: &[Field] = &[integer("at"), text("note")];

    #[test]
    fn a_row_is_written_by_its_key_and_its_other_columns() {
        assert_eq!(
            Bulk::insert(Columns::new("entry", &[], REST)).by_row(),
            "INSERT INTO entry (at, note) VALUES (?1, ?2)"
        );
        assert_eq!(
            Bulk::put(Columns::new("entry", KEY, REST)).by_row(),
            "INSERT INTO entry (login, number, at, note) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (login, number) DO UPDATE SET at = excluded.at, note = excluded.note"
        );
        assert_eq!(
            Bulk::insert_missing(Columns::new("entry", &[], REST)).by_row(),
            "INSERT INTO entry (at, note) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            Bulk::put(Columns::new("entry", KEY, TIMES)).by_row(),
            "INSERT INTO entry (login, number, times, at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (login, number) DO UPDATE SET times = entry.times + excluded.times, \
             at = excluded.at"
        );
        assert_eq!(
            Bulk::update(Columns::new("entry", KEY, TIMES)).by_row(),
            "UPDATE entry SET times = times + ?3, at = ?4 WHERE login = ?1 AND number = ?2"
        );
        assert_eq!(
            Bulk::delete(Columns::new("entry", KEY, REST)).by_row(),
            "DELETE FROM entry WHERE login = ?1 AND number = ?2"
        );
    }

    #[test]
    fn a_row_of_other_columns_is_noticed() {
        let put = Bulk::put(Columns::new("entry", KEY, REST));
        assert!(put.takes(params!["login", 1_i64, 2_i64, None::<&str>]));
        assert!(!put.takes(params!["login", 1_i64, 2_i64]));
        assert!(!put.takes(params![1_i64, "login", 2_i64, "note"]));
        let body = Bulk::insert(Columns::new("entry", &[], BODY));
        assert!(body.takes(&[Param::Text("{}")]) && body.takes(&[Param::Bytes(b"{}")]));
        assert!(!body.takes(params![1_i64]));
    }
}
