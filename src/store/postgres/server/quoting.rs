//! Names as statements take them.

/// A name of a schema, a database or a role, in quotes: whatever stands in it, it is one name.
pub(super) fn quote_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
