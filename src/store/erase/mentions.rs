//! Columns of other rows that can name the person, as text or JSON.

use crate::store::{
    StoreError,
    row::redact::Redactor,
    sql::{Bind, Cell, Column, Connection, Mismatch, Param},
};

/// The columns of a table that can name the person.
#[derive(Debug)]
pub(in crate::store) struct Mentions {
    pub(in crate::store) table: &'static str,
    /// The key columns.
    key: &'static [&'static str],
    pub(in crate::store) columns: &'static [&'static str],
    /// The condition of the rows to search.
    condition: &'static str,
}

/// Tables that are searched completely. Titles of checks and the operator's own settings are not
/// searched.
pub(in crate::store) static TABLES: [Mentions; 8] = [
    Mentions::of("user_snapshot", &["login"], &["state"]),
    Mentions::of("failure_answer", &["login"], &["shared_texts", "exchange"]),
    Mentions::of("watch", &["kind", "subject", "source"], &["note"]),
    Mentions::of("poll", &["kind", "subject"], &["reason", "errors"]),
    Mentions::of("job_state", &["job"], &["reason"]),
    Mentions::of("integration", &["id"], &["name", "error"]),
    Mentions::of("webhook_target", &["id"], &["name", "url"]),
    Mentions::of("listing", &["state"], &["figures"]),
];

/// Users of addresses.
pub(super) static ADDRESSES: Mentions = Mentions::of("ip_snapshot", &["ip"], &["users"]);

/// Events in a range of numbers.
pub(super) static EVENTS: Mentions = Mentions {
    table: "event",
    key: &["seq"],
    columns: &["application", "body", "attributes"],
    condition: "seq > ?1 AND seq <= ?2",
};

/// Shared attributes of events, in a range of numbers.
pub(super) static CONTEXTS: Mentions = Mentions {
    table: "event_context",
    key: &["number"],
    columns: &["attributes"],
    condition: "number > ?1 AND number <= ?2",
};

/// The value of a key column.
enum Key {
    Number(i64),
    Text(String),
}

impl Column<'_> for Key {
    fn read(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Integer(number) => Ok(Self::Number(number)),
            cell => String::read(cell).map(Self::Text),
        }
    }
}

impl Bind for Key {
    fn bind(&self) -> Param<'_> {
        match self {
            Self::Number(number) => number.bind(),
            Self::Text(text) => text.bind(),
        }
    }
}

impl Mentions {
    const fn of(
        table: &'static str,
        key: &'static [&'static str],
        columns: &'static [&'static str],
    ) -> Self {
        Self { table, key, columns, condition: "true" }
    }

    /// Redacts the person; returns the number of rows that named them. The parameters are those of
    /// the condition.
    pub(super) fn redact(
        &self,
        connection: &dyn Connection,
        redactor: &Redactor,
        params: &[Param<'_>],
    ) -> Result<usize, StoreError> {
        let Self { table, key, columns, condition } = self;
        let select = format!(
            "SELECT {}, {} FROM {table} WHERE {condition}",
            columns.join(", "),
            key.join(", ")
        );
        let mut named: Vec<(Vec<Option<String>>, Vec<Key>)> = Vec::new();
        connection.each(&select, params, |row| {
            let redacted = (0..columns.len()).map(|column| {
                let bytes: Option<&[u8]> = row.get(column)?;
                Ok(bytes.and_then(|bytes| redactor.redact_text(&String::from_utf8_lossy(bytes))))
            });
            let redacted = redacted.collect::<Result<Vec<_>, StoreError>>()?;
            if redacted.iter().any(Option::is_some) {
                let last = columns.len() + key.len();
                let keys = (columns.len()..last).map(|column| row.get(column));
                named.push((redacted, keys.collect::<Result<_, _>>()?));
            }
            Ok(())
        })?;
        // Columns that do not name the person are not written.
        let set = (1..).zip(*columns);
        let set = set.map(|(number, column)| {
            format!("{column} = coalesce(CAST(?{number} AS TEXT), {column})")
        });
        let found = (columns.len() + 1..).zip(*key);
        let found = found.map(|(number, column)| format!("{column} = ?{number}"));
        let update = format!(
            "UPDATE {table} SET {} WHERE {}",
            set.collect::<Vec<_>>().join(", "),
            found.collect::<Vec<_>>().join(" AND ")
        );
        let mut redacted = 0;
        for (texts, keys) in &named {
            let texts = texts.iter().map(Bind::bind);
            let params: Vec<_> = texts.chain(keys.iter().map(Bind::bind)).collect();
            redacted += connection.execute(&update, &params)?;
        }
        Ok(redacted)
    }
}
