//! The unparsed values of settings by path, each with its origin.

use std::{collections::BTreeMap, fmt};

use secrecy::zeroize::Zeroize as _;

use super::{
    check_fields::Checks,
    key::{self, KEYS, Key, Kind},
    problem::{Origin, Problems},
};

/// A value as it is written. It may be a secret, so it is zeroized on drop.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Flag(bool),
    Integer(i64),
}

impl Drop for Value {
    fn drop(&mut self) {
        match self {
            Self::Text(text) => text.zeroize(),
            Self::List(texts) => texts.zeroize(),
            Self::Flag(_) | Self::Integer(_) => {}
        }
    }
}

impl Value {
    /// The strings of a list, or a single string as a list; empty for anything else.
    pub(super) fn into_texts(mut self) -> Vec<String> {
        match &mut self {
            Self::List(texts) => std::mem::take(texts),
            Self::Text(text) => vec![std::mem::take(text)],
            Self::Flag(_) | Self::Integer(_) => Vec::new(),
        }
    }

    /// Whether the value is of this kind.
    pub(super) fn is_of_kind(&self, kind: Kind) -> bool {
        match (self, kind) {
            (Self::Text(_), Kind::Text | Kind::Texts)
            | (Self::List(_), Kind::List | Kind::Texts)
            | (Self::Flag(_), Kind::Flag) => true,
            (Self::Integer(number), Kind::Integer(least, most)) => (least..=most).contains(number),
            (Self::Text(text), Kind::Choice(choices)) => choices.contains(&text.as_str()),
            _ => false,
        }
    }
}

/// A value and its origin.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The values of one source, or of all sources merged.
#[derive(Clone, Default)]
pub(super) struct Settings {
    entries: BTreeMap<&'static str, Entry>,
    /// The tables that exist, even when empty.
    tables: BTreeMap<String, Origin>,
    /// The fields of checks, whose paths are not settings.
    pub(super) checks: Checks,
}

/// Some of the values are secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(..)")
    }
}

impl Settings {
    pub(super) fn set(&mut self, path: &'static str, value: Value, origin: Origin) {
        self.entries.insert(path, Entry { value, origin });
    }

    /// Removes the values of these settings.
    pub(super) fn remove(&mut self, is_meant: impl Fn(&Key) -> bool) {
        self.entries.retain(|path, _| !key::find(path).is_some_and(&is_meant));
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The value, or else the default.
    pub(super) fn value(&self, path: &str) -> Option<Value> {
        if let Some(entry) = self.get(path) {
            return Some(entry.value.clone());
        }
        let default = key::find(path)?.default?;
        Some(match default.parse::<toml::Value>().ok()? {
            toml::Value::String(text) => Value::Text(text),
            toml::Value::Boolean(flag) => Value::Flag(flag),
            toml::Value::Integer(number) => Value::Integer(number),
            _ => Value::List(Vec::new()),
        })
    }

    /// Records that a table exists; its first origin is kept.
    pub(super) fn begin_table(&mut self, table: String, origin: Origin) {
        self.tables.entry(table).or_insert(origin);
    }

    /// The origin of a table.
    pub(super) fn table_origin(&self, table: &str) -> Option<&Origin> {
        self.tables.get(table)
    }

    /// Whether a table exists, or a setting below it is set.
    pub(super) fn has_table(&self, table: &str) -> bool {
        let below = |path: &str| path.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
        self.tables.contains_key(table) || self.entries.keys().any(|path| below(path))
    }

    /// Merges another source, which takes precedence. A secret there replaces a file named here,
    /// and the other way round.
    pub(super) fn overlay(&mut self, over: Self, problems: &mut Problems) {
        for key in KEYS {
            let Some(file) = key.file else { continue };
            match (over.get(key.path), over.get(file)) {
                (Some(entry), Some(_)) => problems.add(
                    Some(&entry.origin),
                    key.path,
                    format!("is set together with {file}; keep one of the two"),
                ),
                (Some(_), None) => {
                    self.entries.remove(file);
                }
                (None, Some(_)) => {
                    self.entries.remove(key.path);
                }
                (None, None) => {}
            }
        }
        self.entries.extend(over.entries);
        self.checks.overlay(over.checks);
        for (table, origin) in over.tables {
            self.begin_table(table, origin);
        }
    }
}
