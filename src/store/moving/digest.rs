//! A digest of the rows of a table that does not depend on the engine.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::store::{
    sql::{Kind, Param},
    tables::Table,
};

/// The number of rows, and the SHA-256 over their values in the order of the key.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    hash: Sha256,
    rows: u64,
    replaced: u64,
}

impl Digest {
    pub(super) fn new() -> Self {
        Self { hash: Sha256::new(), rows: 0, replaced: 0 }
    }

    /// Adds a row. Each value is preceded by its type and its length, so that different rows cannot
    /// produce the same bytes. A body counts as bytes, even where an engine stores it as text.
    pub(super) fn add(&mut self, table: &Table, values: &[Param<'_>]) {
        self.rows += 1;
        for (column, value) in table.columns().zip(values) {
            match *value {
                Param::Integer(number) => {
                    self.hash.update([1]);
                    self.hash.update(number.to_be_bytes());
                }
                Param::Text(text) => {
                    let is_body = matches!(column.kind(), Kind::Body);
                    self.add_bytes(if is_body { 3 } else { 2 }, text.as_bytes());
                }
                Param::Bytes(bytes) => self.add_bytes(3, bytes),
                // No column has lists, and stored numbers are always in range.
                Param::Null | Param::TooLarge | Param::Integers(_) | Param::Texts(_) => {
                    self.hash.update([0]);
                }
            }
        }
    }

    fn add_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.hash.update([kind]);
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    /// Counts the row that was added last as one in which a text was replaced.
    pub(super) fn count_replaced(&mut self) {
        self.replaced += 1;
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows in which a text was replaced.
    pub(super) fn rows_replaced(&self) -> u64 {
        self.replaced
    }

    /// The SHA-256, in hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        self.hash.clone().finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        sql::{Field, params},
        tables::TABLES,
    };

    fn of(name: &str, rows: &[&[Param<'_>]]) -> String {
        let table = TABLES.iter().find(|table| table.name() == name).unwrap();
        let mut digest = Digest::new();
        for row in rows {
            digest.add(table, row);
        }
        digest.sha256()
    }

    #[test]
    fn other_values_come_to_something_else() {
        let row: &[Param<'_>] = params!["ab", "c"];
        let others: [&[Param<'_>]; 4] = [
            params!["a", "bc"],
            params!["ab", None::<&str>],
            params!["ab", ""],
            params!["c", "ab"],
        ];
        assert_eq!(of("meta", &[row]), of("meta", &[row]));
        for other in others {
            assert_ne!(of("meta", &[row]), of("meta", &[other]), "{}", other.len());
            assert_ne!(of("meta", &[row, other]), of("meta", &[other, row]));
        }
    }

    #[test]
    fn a_body_is_the_same_as_a_text_and_as_bytes() {
        let table = TABLES.iter().find(|table| table.name() == "delivery").unwrap();
        let row = |body| {
            let value = |field: &Field| if field.name() == "body" { body } else { Param::Null };
            table.columns().map(value).collect::<Vec<_>>()
        };
        let (text, bytes) = (row(Param::Text("{}")), row(Param::Bytes(b"{}")));
        assert_eq!(of("delivery", &[&text]), of("delivery", &[&bytes]));
        assert_ne!(of("delivery", &[&text]), of("delivery", &[&row(Param::Null)]));
    }
}
