//! Rows that are written many at a time, by what is done with them.

use std::{fmt::Write as _, sync::OnceLock};

use super::Param;

/// What is written of many rows of a table. Each row has the values of its key, and behind them
/// those of its other columns.
///
/// An engine that is in this process runs [`by_row`](Self::by_row) once a row; one that is away
/// can send all rows at once, since the description says which columns there are.
#[derive(Debug)]
pub(in crate::store) struct Bulk {
    table: &'static str,
    key: &'static [Field],
    rest: &'static [Field],
    deed: Deed,
    by_row: OnceLock<String>,
    in_lists: OnceLock<String>,
}

/// What is done with the rows of a [`Bulk`].
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

    /// Whether a value is added to the one that is there.
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

/// A column of bytes that stand as a text where they are one, so that people can read them.
pub(in crate::store) const fn body(name: &'static str) -> Field {
    Field { name, kind: Kind::Body, is_added: false }
}

/// A column of numbers to which the value is added where there is a row.
pub(in crate::store) const fn added(name: &'static str) -> Field {
    Field { name, kind: Kind::Integer, is_added: true }
}

impl Bulk {
    /// Adds rows that are not there yet.
    pub(in crate::store) const fn insert(table: &'static str, columns: &'static [Field]) -> Self {
        Self::new(table, &[], columns, Deed::Insert)
    }

    /// The same, of a table whose key is told.
    pub(in crate::store) const fn insert_with_key(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
    ) -> Self {
        Self::new(table, key, rest, Deed::Insert)
    }

    /// Adds those rows that are not there; others stay as they are.
    pub(in crate::store) const fn insert_missing(
        table: &'static str,
        columns: &'static [Field],
    ) -> Self {
        Self::new(table, &[], columns, Deed::InsertMissing)
    }

    /// Adds rows, or gives those that are there with the same key other values.
    pub(in crate::store) const fn put(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
    ) -> Self {
        Self::new(table, key, rest, Deed::Put)
    }

    /// Gives the rows with a key other values; one that is not there is no matter.
    pub(in crate::store) const fn update(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
    ) -> Self {
        Self::new(table, key, rest, Deed::Update)
    }

    /// Removes the rows with a key.
    pub(in crate::store) const fn delete(table: &'static str, key: &'static [Field]) -> Self {
        Self::new(table, key, &[], Deed::Delete)
    }

    const fn new(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
        deed: Deed,
    ) -> Self {
        Self { table, key, rest, deed, by_row: OnceLock::new(), in_lists: OnceLock::new() }
    }

    /// The statement for one row, whose values are its parameters.
    pub(in crate::store) fn by_row(&self) -> &str {
        self.by_row.get_or_init(|| match self.deed {
            Deed::Insert => self.inserted(),
            Deed::InsertMissing => self.inserted() + " ON CONFLICT DO NOTHING",
            Deed::Put => self.inserted() + &self.on_conflict(),
            Deed::Update => self.updated(),
            Deed::Delete => self.deleted(),
        })
    }

    /// The statement for many rows whose values are lists, a list a column; an engine that is
    /// away makes it.
    pub(in crate::store) fn in_lists(&self, make: impl FnOnce(&Self) -> String) -> &str {
        self.in_lists.get_or_init(|| make(self))
    }

    pub(in crate::store) const fn table(&self) -> &'static str {
        self.table
    }

    pub(in crate::store) const fn deed(&self) -> Deed {
        self.deed
    }

    /// The columns by which a row is found.
    pub(in crate::store) const fn key(&self) -> &'static [Field] {
        self.key
    }

    /// The columns behind those.
    pub(in crate::store) const fn rest(&self) -> &'static [Field] {
        self.rest
    }

    /// Whether a row has a value for each column, and of its type. Not every engine looks.
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
        self.key.iter().chain(self.rest)
    }

    fn inserted(&self) -> String {
        let parameters = (1..=self.columns().count()).map(|number| format!("?{number}"));
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.table,
            names(self.columns()),
            parameters.collect::<Vec<_>>().join(", ")
        )
    }

    /// What becomes of a row that is there.
    pub(in crate::store) fn on_conflict(&self) -> String {
        let mut sql = format!(" ON CONFLICT ({}) DO ", names(self.key.iter()));
        for (position, Field { name, is_added, .. }) in self.rest.iter().enumerate() {
            let before = if position == 0 { "UPDATE SET" } else { "," };
            // Writing to a string does not fail.
            let _ = match is_added {
                true => write!(sql, "{before} {name} = {}.{name} + excluded.{name}", self.table),
                false => write!(sql, "{before} {name} = excluded.{name}"),
            };
        }
        sql
    }

    fn updated(&self) -> String {
        let set = (self.key.len() + 1..).zip(self.rest).map(|(number, field)| {
            let Field { name, is_added, .. } = field;
            if *is_added {
                format!("{name} = {name} + ?{number}")
            } else {
                format!("{name} = ?{number}")
            }
        });
        let set = set.collect::<Vec<_>>().join(", ");
        format!("UPDATE {} SET {set} WHERE {}", self.table, self.found())
    }

    fn deleted(&self) -> String {
        format!("DELETE FROM {} WHERE {}", self.table, self.found())
    }

    /// The condition by which a row is found.
    fn found(&self) -> String {
        let conditions = (1..).zip(self.key);
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
            Bulk::insert("entry", REST).by_row(),
            "INSERT INTO entry (at, note) VALUES (?1, ?2)"
        );
        assert_eq!(
            Bulk::put("entry", KEY, REST).by_row(),
            "INSERT INTO entry (login, number, at, note) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (login, number) DO UPDATE SET at = excluded.at, note = excluded.note"
        );
        assert_eq!(
            Bulk::insert_missing("entry", REST).by_row(),
            "INSERT INTO entry (at, note) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            Bulk::put("entry", KEY, TIMES).by_row(),
            "INSERT INTO entry (login, number, times, at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (login, number) DO UPDATE SET times = entry.times + excluded.times, \
             at = excluded.at"
        );
        assert_eq!(
            Bulk::update("entry", KEY, TIMES).by_row(),
            "UPDATE entry SET times = times + ?3, at = ?4 WHERE login = ?1 AND number = ?2"
        );
        assert_eq!(
            Bulk::delete("entry", KEY).by_row(),
            "DELETE FROM entry WHERE login = ?1 AND number = ?2"
        );
    }

    #[test]
    fn a_row_of_other_columns_is_noticed() {
        let put = Bulk::put("entry", KEY, REST);
        assert!(put.takes(params!["login", 1_i64, 2_i64, None::<&str>]));
        assert!(!put.takes(params!["login", 1_i64, 2_i64]));
        assert!(!put.takes(params![1_i64, "login", 2_i64, "note"]));
        let body = Bulk::insert("entry", BODY);
        assert!(body.takes(&[Param::Text("{}")]) && body.takes(&[Param::Bytes(b"{}")]));
        assert!(!body.takes(params![1_i64]));
    }
}
