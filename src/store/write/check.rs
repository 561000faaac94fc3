//! Checks: what is known of them, and what was counted.

use rusqlite::{OptionalExtension, Savepoint, params};

use crate::{
    domain::{CheckDefinition, CheckId, Severity, Timestamp, failure::CheckName},
    store::{
        StoreError,
        moment::{from_micros, to_micros},
    },
};

/// What is known of a check.
pub(super) fn load(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
) -> Result<Option<CheckDefinition>, StoreError> {
    let row = tx
        .prepare_cached(
            "SELECT title, severity, description, recommended_actions, as_of
             FROM check_definition WHERE check_id = ?1",
        )?
        .query_row([check_id.as_str()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, i64>(4)?,
            ))
        })
        .optional()?;
    let Some((title, severity, description, recommended_actions, as_of)) = row else {
        return Ok(None);
    };
    let sentences = |json: &str| {
        serde_json::from_str::<Vec<String>>(json)
            .map_err(|_| StoreError::Corrupt("check definition"))
    };
    Ok(Some(CheckDefinition {
        title,
        severity: Severity::new(severity.as_deref()),
        description: sentences(&description)?,
        recommended_actions: sentences(&recommended_actions)?,
        as_of: from_micros(as_of)?,
    }))
}

/// Keeps what is known of a check, and that something of it was learnt.
pub(super) fn save(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    definition: &CheckDefinition,
    at: Timestamp,
) -> Result<(), StoreError> {
    let json = |sentences: &[String]| {
        serde_json::to_string(sentences).map_err(|_| StoreError::Corrupt("check definition"))
    };
    tx.prepare_cached(
        "INSERT OR REPLACE INTO check_definition
            (check_id, title, severity, description, recommended_actions, as_of, last_event_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        check_id.as_str(),
        definition.title,
        definition.severity.text(),
        json(&definition.description)?,
        json(&definition.recommended_actions)?,
        to_micros(definition.as_of),
        to_micros(at),
    ])?;
    Ok(())
}

/// Keeps that something of a check was learnt.
pub(super) fn touch(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE check_definition SET last_event_at = ?2 WHERE check_id = ?1")?
        .execute(params![check_id.as_str(), to_micros(at)])?;
    Ok(())
}

/// Every check that is known.
pub(super) fn all(tx: &Savepoint<'_>) -> Result<Vec<CheckName>, StoreError> {
    let mut select = tx.prepare_cached("SELECT check_id FROM check_definition")?;
    let ids = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut checks = Vec::new();
    for id in ids {
        let id = CheckId::new(&id?).ok_or(StoreError::Corrupt("check id"))?;
        if let Some(definition) = load(tx, &id)? {
            checks.push(CheckName { id, definition });
        }
    }
    Ok(checks)
}

/// Counts failures that opened and that ended.
pub(super) fn count(
    tx: &Savepoint<'_>,
    check_id: &CheckId,
    severity: &Severity,
    opened: usize,
    resolved: usize,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO check_total (check_id, severity, failures, resolutions)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (check_id, severity) DO UPDATE SET
            failures = failures + excluded.failures,
            resolutions = resolutions + excluded.resolutions",
    )?
    .execute(params![
        check_id.as_str(),
        severity.label(),
        i64::try_from(opened).unwrap_or(0),
        i64::try_from(resolved).unwrap_or(0),
    ])?;
    Ok(())
}
