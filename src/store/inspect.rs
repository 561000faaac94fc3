//! Checks the integrity of a database, by SQLite's rules and by our own.

use std::path::Path;

use super::{Reader, StoreError, sqlite};

/// Maximum number of problems of one kind that are listed.
const NAMED: usize = 20;

/// Queries that must return no row, and the problem when one does.
const RULES: [(&str, &str); 6] = [
    (
        "an event has a number that was not given yet",
        "SELECT CAST(seq AS TEXT) FROM event WHERE seq > (SELECT event FROM head)",
    ),
    (
        "a delivery has a number that was not given yet",
        "SELECT CAST(seq AS TEXT) FROM delivery WHERE seq > (SELECT delivery FROM head)",
    ),
    (
        "an open failure is of a check that does not exist",
        "SELECT login FROM failure WHERE check_number NOT IN (SELECT number FROM checks)",
    ),
    (
        "the number of open failures of a check is not the one that is kept with it",
        "SELECT id FROM checks WHERE open <> (
            SELECT count(*) FROM failure WHERE check_number = checks.number)",
    ),
    (
        "a receiver of events is ahead of the log",
        "SELECT consumer FROM cursor WHERE seq > (SELECT event FROM head)",
    ),
    (
        "an event that waits on purpose does not exist",
        "SELECT CAST(seq AS TEXT) FROM otlp_resend WHERE seq NOT IN (SELECT seq FROM event)",
    ),
];

/// Lists what is wrong with a database; a daemon may have it open.
///
/// # Errors
/// When it cannot be read at all, or is of another version than this exporter's.
pub fn inspect(database: &Path) -> Result<Vec<String>, StoreError> {
    let reader = Reader::open_existing(database)?;
    // One transaction, so that no commit of a daemon comes between two queries.
    reader.read_at_once(|reader| {
        let mut problems = sqlite::find_damage(reader.sql())?;
        // With damaged pages, queries of rows prove nothing.
        if problems.is_empty() {
            for (problem, rows) in RULES {
                let found = reader.sql().texts(&format!("{rows} LIMIT {NAMED}"), &[])?;
                problems.extend(found.iter().map(|row| format!("{problem}: {row:?}")));
            }
        }
        Ok(problems)
    })
}

/// Lists what is wrong with the pages of a database, without reading every row. It takes a fraction
/// of the time of [`inspect`].
///
/// # Errors
/// When it cannot be read at all, or is of another version than this exporter's.
pub fn inspect_pages(database: &Path) -> Result<Vec<String>, StoreError> {
    sqlite::find_damaged_pages(Reader::open_existing(database)?.sql())
}
