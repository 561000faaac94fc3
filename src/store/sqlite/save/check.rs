//! Checks: their words, titles and totals.

use rusqlite::{Connection, params};

use crate::{
    ledger::Diff,
    store::{
        StoreError,
        row::{Moment, texts},
    },
};

pub(super) fn save(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO checks (number, id, title, severity, as_of, last_event_at, version, open)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (number) DO UPDATE SET
            title = excluded.title, severity = excluded.severity, as_of = excluded.as_of,
            last_event_at = excluded.last_event_at, version = excluded.version,
            open = excluded.open",
    )?;
    let mut words = connection.prepare_cached(
        "INSERT OR IGNORE INTO check_words (check_number, version, description,
                                            recommended_actions)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut total = connection.prepare_cached(
        "INSERT OR REPLACE INTO check_total (check_number, severity, failures, resolutions)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for check in &diff.checks {
        let Some(row) = check.row else { continue };
        let definition = &row.definition;
        insert.execute(params![
            row.number,
            check.key.as_str(),
            definition.title,
            definition.severity.text(),
            Moment(definition.as_of),
            Moment(row.last_event_at),
            row.version,
            row.open,
        ])?;
        if check.stored.is_none_or(|stored| stored.version != row.version) {
            words.execute(params![
                row.number,
                row.version,
                texts::encode(definition.description.iter().map(String::as_str)),
                texts::encode(definition.recommended_actions.iter().map(String::as_str)),
            ])?;
        }
        for (severity, totals) in &row.totals {
            if check.stored.and_then(|stored| stored.totals.get(severity)) != Some(totals) {
                total.execute(params![
                    row.number,
                    severity,
                    totals.failures,
                    totals.resolutions
                ])?;
            }
        }
    }
    titles(connection, diff)
}

/// A check has one title at a time; those that it had stay on record.
fn titles(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    if diff.titles.is_empty() {
        return Ok(());
    }
    let mut end = connection.prepare_cached(
        "UPDATE check_title SET until = ?2 WHERE check_number = ?1 AND until IS NULL",
    )?;
    let mut begin = connection.prepare_cached(
        "INSERT OR REPLACE INTO check_title (folded, check_number, since) VALUES (?1, ?2, ?3)",
    )?;
    for change in diff.titles {
        end.execute(params![change.number, Moment(change.since)])?;
        begin.execute(params![change.folded, change.number, Moment(change.since)])?;
    }
    Ok(())
}
