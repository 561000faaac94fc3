//! Saves checks: their definitions, titles and totals.

use std::collections::BTreeSet;

use crate::{
    domain::CheckId,
    ledger::{Check, CheckNumber, Command, Diff, Difference},
    store::{
        StoreError, columns,
        row::{durations, texts, trend},
        sql::{Bulk, Connection, Param, params},
    },
};

static CHECK: Bulk = Bulk::put(columns::CHECKS);

/// Updates a check whose id stays. With the id among the columns, SQLite would write the index over
/// ids, too.
static SAME_CHECK: Bulk = Bulk::update(columns::CHECKS.without_last(1));

static WORDS: Bulk = Bulk::insert_missing(columns::CHECK_WORDS);

static CONFIGURED: Bulk = Bulk::insert(columns::CONFIGURED_CHECK);

pub(super) fn save(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    // An id can move from one check to another in a group, and ids are unique after each single
    // write. So ids that change are first replaced by temporary ones, which begin with a space, as
    // no check's id does.
    for check in &diff.checks {
        if let (Some(stored), Some(row)) = (check.stored, check.row)
            && stored.number != row.number
        {
            let sql = "UPDATE checks SET id = ' ' || number WHERE id = ?1";
            connection.send(sql, params![check.key.as_str()])?;
        }
    }
    let is_same = |check: &Difference<'_, CheckId, Check>| {
        check.stored.zip(check.row).is_some_and(|(stored, row)| stored.number == row.number)
    };
    connection.write_all(&CHECK, |put| {
        for check in diff.checks.iter().filter(|check| !is_same(check)) {
            let Some(row) = check.row else { continue };
            with_values(check.key, row, |values| put(values))?;
        }
        Ok(())
    })?;
    connection.write_all(&SAME_CHECK, |put| {
        for check in diff.checks.iter().filter(|check| is_same(check)) {
            let Some(row) = check.row else { continue };
            with_values(check.key, row, |values| put(&values[..values.len() - 1]))?;
        }
        Ok(())
    })?;
    connection.write_all(&WORDS, |put| {
        for check in &diff.checks {
            let Some(row) = check.row else { continue };
            let words_of = |check: &Check| (check.number, check.version);
            if check.stored.is_none_or(|stored| words_of(stored) != words_of(row)) {
                let definition = &row.definition;
                put(params![
                    row.number,
                    row.version,
                    texts::encode(definition.description.iter().map(String::as_str)),
                    texts::encode(definition.recommended_actions.iter().map(String::as_str)),
                ])?;
            }
        }
        Ok(())
    })?;
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

/// Passes the values of a check to `then`: its number, and the columns after it.
fn with_values<T>(id: &CheckId, row: &Check, then: impl FnOnce(&[Param<'_>]) -> T) -> T {
    let definition = &row.definition;
    then(params![
        row.number,
        definition.title,
        definition.severity.text(),
        row.last_event_at,
        row.version,
        row.open,
        row.totals.failures,
        row.totals.resolutions,
        definition.told.title,
        definition.told.severity,
        definition.told.description,
        definition.told.recommended_actions,
        row.last_failure_at,
        durations::encode(&row.durations),
        row.is_provisional,
        row.is_hidden,
        trend::encode(&row.trend),
        id.as_str(),
    ])
}

/// Removes a check whose number no other check took over: it was removed, or merged with a check
/// that has its own number, to which its titles move. Ended failures stay until they are too old.
fn remove(
    connection: &dyn Connection,
    number: CheckNumber,
    commands: &[Command],
) -> Result<(), StoreError> {
    connection.send("DELETE FROM checks WHERE number = ?1", params![number])?;
    connection.send("DELETE FROM check_words WHERE check_number = ?1", params![number])?;
    let is_merged =
        |command: &Command| matches!(command, Command::MergeCheck { from, .. } if *from == number);
    if !commands.iter().any(is_merged) {
        connection.send("DELETE FROM check_title WHERE check_number = ?1", params![number])?;
    }
    Ok(())
}

fn configured(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for difference in &diff.configured {
        connection.send("DELETE FROM configured_check", &[])?;
        connection.write_all(&CONFIGURED, |put| {
            for (name, words) in difference.row.iter().flat_map(|configured| configured.iter()) {
                put(params![name, words.title, words.severity.text()])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A check has one title at a time, and its former titles stay stored. A group can change a title
/// more than once, so the changes are applied one after the other.
fn titles(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for change in diff.titles {
        connection.send(
            "UPDATE check_title SET until = ?2 WHERE check_number = ?1 AND until IS NULL",
            params![change.number, change.since],
        )?;
        connection.send(
            "INSERT INTO check_title (folded, check_number, since) VALUES (?1, ?2, ?3)
             ON CONFLICT (folded, check_number, since) DO UPDATE SET until = NULL",
            params![change.folded, change.number, change.since],
        )?;
    }
    Ok(())
}
