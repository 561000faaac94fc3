//! Checks names of schemas.

/// The longest name that PostgreSQL does not truncate, in bytes.
const LONGEST: usize = 63;

/// Checks that a text is a valid schema name, no system schema, and means the same with and without
/// quotes.
///
/// # Errors
/// The error says what is expected.
pub(in crate::config) fn check_name(text: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = text.chars().all(is_part)
        && text.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && text.len() <= LONGEST;
    if text.starts_with("pg_") || text == "information_schema" {
        return Err(format!("{text:?} is the server's own; expected another name"));
    }
    if !is_name {
        return Err(format!(
            "{text:?} is no name of a schema; expected one of lower-case letters, digits and _, \
             such as \"cii\""
        ));
    }
    Ok(())
}
