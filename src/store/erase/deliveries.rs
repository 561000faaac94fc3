//! Erases a person from deliveries: from the named users, and from the body.

use super::Step;
use crate::store::{
    StoreError,
    row::{body, redact::Redacted},
    save::stored_body,
    sql::{Row, params},
};

/// Deliveries per transaction. A body can have megabytes.
pub(super) const ROWS: i64 = 32;

/// Columns with lists of users.
const LISTS: [&str; 2] = ["known_users", "cleared_users"];

/// Columns of text other than the lists of users.
const TEXTS: [&str; 6] = ["detail_id", "detail_type", "source", "title", "reason", "notes"];

/// A stored body, and the columns needed to decode it.
struct Body {
    bytes: Vec<u8>,
    form: i64,
    is_packed: bool,
    size: Option<i64>,
}

/// Redacts the person in deliveries after one number, up to another.
pub(super) fn redact(step: &mut Step<'_>, after: i64, last: i64) -> Result<(), StoreError> {
    let numbers: Vec<i64> = step.connection.all(
        "SELECT seq FROM delivery WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
        params![after, last],
        |row| row.get(0),
    )?;
    let mut redacted = 0;
    for number in numbers {
        let is_changed = redact_texts(step, number)? | redact_body(step, number)?;
        redacted += usize::from(is_changed);
    }
    step.erased.count_redacted("delivery", redacted);
    Ok(())
}

fn redact_texts(step: &Step<'_>, number: i64) -> Result<bool, StoreError> {
    let columns: Vec<&str> = LISTS.into_iter().chain(TEXTS).collect();
    let sql = format!("SELECT {} FROM delivery WHERE seq = ?1", columns.join(", "));
    let others = step.connection.one(&sql, params![number], |row| redacted_columns(step, row))?;
    let mut changed = false;
    for (column, other) in columns.iter().zip(others) {
        let Some(other) = other else { continue };
        let is_list = LISTS.contains(column);
        let other = Some(other).filter(|other| !is_list || other != "[]");
        let sql = format!("UPDATE delivery SET {column} = ?2 WHERE seq = ?1");
        step.connection.execute(&sql, params![number, other])?;
        changed = true;
    }
    Ok(changed)
}

/// For each column, its value without the person; none where it does not name the person.
fn redacted_columns(step: &Step<'_>, row: &Row<'_>) -> Result<Vec<Option<String>>, StoreError> {
    let other = |column: usize| -> Result<Option<String>, StoreError> {
        let Some(bytes) = row.get::<Option<&[u8]>>(column)? else { return Ok(None) };
        let text = String::from_utf8_lossy(bytes);
        let is_list = column < LISTS.len();
        Ok(if is_list {
            step.redactor.redact_list(&text)
        } else {
            step.redactor.redact_text(&text)
        })
    };
    (0..LISTS.len() + TEXTS.len()).map(other).collect()
}

fn redact_body(step: &Step<'_>, number: i64) -> Result<bool, StoreError> {
    let found = step.connection.optional(
        "SELECT body, body_form, is_packed, size FROM delivery
         WHERE seq = ?1 AND body IS NOT NULL",
        params![number],
        |row| {
            Ok(Body {
                bytes: row.bytes(0).unwrap_or_default().to_vec(),
                form: row.get(1)?,
                is_packed: row.get(2)?,
                size: row.get(3)?,
            })
        },
    )?;
    let Some(found) = found else { return Ok(false) };
    // A body that cannot be decoded cannot be attributed to anyone; failing here would block the
    // erasure for ever.
    let Ok(known) = body::unpack(found.form, &found.bytes) else { return Ok(false) };
    let (form, bytes, size) = match step.redactor.redact_body(&known, found.is_packed) {
        Redacted::Not => return Ok(false),
        Redacted::Dropped => (body::PLAIN, None, found.size),
        Redacted::To(rewritten) => {
            // A length above the stored one means that the body was truncated; the length is kept
            // then.
            let length = i64::try_from(known.len()).unwrap_or(i64::MAX);
            let is_whole = found.size.is_none_or(|size| size <= length);
            let size = if is_whole { i64::try_from(rewritten.len()).ok() } else { found.size };
            let packed = body::pack_body(rewritten);
            (body::form(&packed), Some(packed.bytes().to_vec()), size)
        }
    };
    step.connection.execute(
        "UPDATE delivery SET body = ?2, body_form = ?3, size = ?4 WHERE seq = ?1",
        params![number, bytes.as_deref().map(|bytes| stored_body(form, bytes)), form, size],
    )?;
    Ok(true)
}
