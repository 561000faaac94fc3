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
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Insert,
    Put,
    Delete,
}

/// A column of a [`Bulk`].
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Field {
    name: &'static str,
    kind: Kind,
}

/// The type of a column's values.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Bytes,
}

/// A column of numbers, flags or moments.
pub(in crate::store) const fn integer(name: &'static str) -> Field {
    Field { name, kind: Kind::Integer }
}

/// A column of texts.
pub(in crate::store) const fn text(name: &'static str) -> Field {
    Field { name, kind: Kind::Text }
}

/// A column of bytes.
pub(in crate::store) const fn bytes(name: &'static str) -> Field {
    Field { name, kind: Kind::Bytes }
}

impl Bulk {
    /// Adds rows that are not there yet.
    pub(in crate::store) const fn insert(table: &'static str, columns: &'static [Field]) -> Self {
        Self::new(table, &[], columns, Deed::Insert)
    }

    /// Adds rows, or gives those that are there with the same key other values.
    pub(in crate::store) const fn put(
        table: &'static str,
        key: &'static [Field],
        rest: &'static [Field],
    ) -> Self {
        Self::new(table, key, rest, Deed::Put)
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
        Self { table, key, rest, deed, by_row: OnceLock::new() }
    }

    /// The statement for one row, whose values are its parameters.
    pub(in crate::store) fn by_row(&self) -> &str {
        self.by_row.get_or_init(|| match self.deed {
            Deed::Insert => self.inserted(),
            Deed::Put => self.inserted() + &self.on_conflict(),
            Deed::Delete => self.deleted(),
        })
    }

    /// Whether a row has a value for each column, and of its type. Not every engine looks.
    pub(in crate::store) fn takes(&self, row: &[Param<'_>]) -> bool {
        let fits = |(field, param): (&Field, &Param<'_>)| match (field.kind, param) {
            (_, Param::Null)
            | (Kind::Integer, Param::Integer(_) | Param::TooLarge)
            | (Kind::Text, Param::Text(_))
            | (Kind::Bytes, Param::Bytes(_)) => true,
            (Kind::Integer | Kind::Text | Kind::Bytes, _) => false,
        };
        row.len() == self.columns().count() && self.columns().zip(row).all(fits)
    }

    fn columns(&self) -> impl Iterator<Item = &Field> {
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

    fn on_conflict(&self) -> String {
        let mut sql = format!(" ON CONFLICT ({}) DO ", names(self.key.iter()));
        for (position, Field { name, .. }) in self.rest.iter().enumerate() {
            let before = if position == 0 { "UPDATE SET" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(sql, "{before} {name} = excluded.{name}");
        }
        sql
    }

    fn deleted(&self) -> String {
        let conditions = (1..).zip(self.key);
        let conditions = conditions.map(|(number, field)| format!("{} = ?{number}", field.name));
        let conditions = conditions.collect::<Vec<_>>().join(" AND ");
        format!("DELETE FROM {} WHERE {conditions}", self.table)
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
    }
}
