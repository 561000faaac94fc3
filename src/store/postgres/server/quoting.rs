//! Quotes names for statements.

/// A name of a schema, a database or a role in quotes: whatever it contains, it is one name.
pub(super) fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
