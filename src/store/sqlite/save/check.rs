//! Checks: their words, titles and totals.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::{
    ledger::{Check, CheckNumber, Command, Diff},
    store::{
        StoreError,
        row::{Moment, durations, texts, trend},
    },
};

pub(super) fn save(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    // An id that one check gives up and another takes in the same group must be free before:
    // ids are unique at each row that is written.
    let mut free =
        connection.prepare_cached("UPDATE checks SET id = char(0) || number WHERE id = ?1")?;
    for check in &diff.checks {
        if let (Some(stored), Some(row)) = (check.stored, check.row)
            && stored.number != row.number
        {
            free.execute([check.key.as_str()])?;
        }
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO checks (number, id, title, severity, last_event_at, version, open, failures,
                             resolutions, title_as_of, severity_as_of, description_as_of,
                             recommended_actions_as_of, last_failure_at, durations,
                             is_provisional, is_hidden, trend)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18)
         ON CONFLICT (number) DO UPDATE SET
            id = excluded.id, title = excluded.title, severity = excluded.severity,
            last_event_at = excluded.last_event_at, version = excluded.version,
            open = excluded.open, failures = excluded.failures,
            resolutions = excluded.resolutions, title_as_of = excluded.title_as_of,
            severity_as_of = excluded.severity_as_of,
            description_as_of = excluded.description_as_of,
            recommended_actions_as_of = excluded.recommended_actions_as_of,
            last_failure_at = excluded.last_failure_at, durations = excluded.durations,
            is_provisional = excluded.is_provisional, is_hidden = excluded.is_hidden,
            trend = excluded.trend",
    )?;
    let mut words = connection.prepare_cached(
        "INSERT OR IGNORE INTO check_words (check_number, version, description,
                                            recommended_actions)
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
            row.is_provisional,
            row.is_hidden,
            trend::encode(&row.trend),
        ])?;
        let words_of = |check: &Check| (check.number, check.version);
        if check.stored.is_none_or(|stored| words_of(stored) != words_of(row)) {
            words.execute(params![
                row.number,
                row.version,
                texts::encode(definition.description.iter().map(String::as_str)),
                texts::encode(definition.recommended_actions.iter().map(String::as_str)),
            ])?;
        }
    }
    let kept: BTreeSet<_> =
        diff.checks.iter().filter_map(|check| check.row).map(|row| row.number).collect();
    for stored in diff.checks.iter().filter_map(|check| check.stored) {
        if !kept.contains(&stored.number) {
            remove(connection, stored.number, diff.commands)?;
        }
    }
    configured(connection, diff)?;
    titles(connection, diff)
}

/// A check whose number no other took over: it is gone, or became another one that has a number
/// of its own, to which its titles move. Failures that ended stay until they are too old.
fn remove(
    connection: &Connection,
    number: CheckNumber,
    commands: &[Command],
) -> Result<(), StoreError> {
    connection.execute("DELETE FROM checks WHERE number = ?1", [number])?;
    connection.execute("DELETE FROM check_words WHERE check_number = ?1", [number])?;
    let is_merged =
        |command: &Command| matches!(command, Command::MergeCheck { from, .. } if *from == number);
    if !commands.iter().any(is_merged) {
        connection.execute("DELETE FROM check_title WHERE check_number = ?1", [number])?;
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
