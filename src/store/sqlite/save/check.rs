//! Checks: their words, titles and totals.

use rusqlite::{Connection, params};

use crate::{
    ledger::{CheckNumber, Diff},
    store::{
        StoreError,
        row::{Moment, durations, texts},
    },
};

pub(super) fn save(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO checks (number, id, title, severity, last_event_at, version, open, failures,
                             resolutions, title_as_of, severity_as_of, description_as_of,
                             recommended_actions_as_of, last_failure_at, durations)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (number) DO UPDATE SET
            title = excluded.title, severity = excluded.severity,
            last_event_at = excluded.last_event_at, version = excluded.version,
            open = excluded.open, failures = excluded.failures,
            resolutions = excluded.resolutions, title_as_of = excluded.title_as_of,
            severity_as_of = excluded.severity_as_of,
            description_as_of = excluded.description_as_of,
            recommended_actions_as_of = excluded.recommended_actions_as_of,
            last_failure_at = excluded.last_failure_at, durations = excluded.durations",
    )?;
    let mut words = connection.prepare_cached(
        "INSERT OR IGNORE INTO check_words (check_number, version, description,
                                            recommended_actions)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for check in &diff.checks {
        let Some(row) = check.row else {
            if let Some(stored) = check.stored {
                remove(connection, stored.number)?;
            }
            continue;
        };
        let definition = &row.definition;
        insert.execute(params![
            row.number,
            check.key.as_str(),
            definition.title,
            definition.severity.text(),
            Moment(row.last_event_at),
            row.version,
            row.open,
            row.totals.failures,
            row.totals.resolutions,
            definition.told.title.map(Moment),
            definition.told.severity.map(Moment),
            definition.told.description.map(Moment),
            definition.told.recommended_actions.map(Moment),
            row.last_failure_at.map(Moment),
            durations::encode(&row.durations),
        ])?;
        if check.stored.is_none_or(|stored| stored.version != row.version) {
            words.execute(params![
                row.number,
                row.version,
                texts::encode(definition.description.iter().map(String::as_str)),
                texts::encode(definition.recommended_actions.iter().map(String::as_str)),
            ])?;
        }
    }
    configured(connection, diff)?;
    titles(connection, diff)
}

/// A check that is gone. Failures of it that ended stay until they are too old.
fn remove(connection: &Connection, number: CheckNumber) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM check_title WHERE check_number = ?1",
        "DELETE FROM check_words WHERE check_number = ?1",
        "DELETE FROM checks WHERE number = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([number])?;
    }
    Ok(())
}

fn configured(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for difference in &diff.configured {
        connection.execute("DELETE FROM configured_check", [])?;
        for (name, words) in difference.row.iter().flat_map(|configured| configured.iter()) {
            connection
                .prepare_cached(
                    "INSERT INTO configured_check (name, title, severity) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![name, words.title, words.severity.text()])?;
        }
    }
    Ok(())
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
