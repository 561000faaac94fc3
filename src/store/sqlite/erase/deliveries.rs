//! Deliveries: who was named, and the body as it came.

use rusqlite::{OptionalExtension, params, types::ValueRef};

use super::Step;
use crate::store::{
    StoreError,
    row::{
        body::{self, Packer},
        redact::{Redacted, Redactor},
    },
    sqlite::save::stored_body,
};

/// Deliveries that are looked at in one transaction. A body has megabytes at most.
pub(super) const ROWS: i64 = 32;

/// Columns of texts apart from the lists of users.
const TEXTS: [&str; 6] = ["detail_id", "detail_type", "source", "title", "reason", "notes"];

/// A body, and what it takes to read it.
struct Body {
    bytes: Vec<u8>,
    form: i64,
    is_packed: bool,
    size: Option<i64>,
}

/// Takes the person out of deliveries after this number, up to that one.
pub(super) fn redact(
    step: &mut Step<'_>,
    redactor: &Redactor,
    packer: &mut Packer,
    after: i64,
    last: i64,
) -> Result<(), StoreError> {
    let mut select = step
        .tx
        .prepare_cached("SELECT seq FROM delivery WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")?;
    let numbers = select.query_map([after, last], |row| row.get(0))?;
    let numbers = numbers.collect::<Result<Vec<i64>, _>>()?;
    let mut redacted = 0;
    for number in numbers {
        let is_changed = lists(step, redactor, number)?
            | texts(step, number)?
            | of_body(step, redactor, packer, number)?;
        redacted += usize::from(is_changed);
    }
    step.erased.redacted("delivery", redacted);
    Ok(())
}

fn lists(step: &Step<'_>, redactor: &Redactor, number: i64) -> Result<bool, StoreError> {
    let mut changed = false;
    for column in ["known_users", "cleared_users"] {
        let list: Option<String> = step
            .tx
            .prepare_cached(&format!("SELECT {column} FROM delivery WHERE seq = ?1"))?
            .query_row([number], |row| row.get(0))?;
        if let Some(others) = list.and_then(|list| redactor.list(&list)) {
            step.tx
                .prepare_cached(&format!("UPDATE delivery SET {column} = ?2 WHERE seq = ?1"))?
                .execute(params![number, Some(others).filter(|list| list != "[]")])?;
            changed = true;
        }
    }
    Ok(changed)
}

fn texts(step: &Step<'_>, number: i64) -> Result<bool, StoreError> {
    let mut changed = false;
    for column in TEXTS {
        let updated = step
            .tx
            .prepare_cached(&format!(
                "UPDATE delivery SET {column} = without_person({column})
                 WHERE seq = ?1 AND without_person({column}) IS NOT NULL"
            ))?
            .execute([number])?;
        changed |= updated > 0;
    }
    Ok(changed)
}

fn of_body(
    step: &Step<'_>,
    redactor: &Redactor,
    packer: &mut Packer,
    number: i64,
) -> Result<bool, StoreError> {
    let found = step
        .tx
        .prepare_cached(
            "SELECT body, body_form, is_packed, size FROM delivery
             WHERE seq = ?1 AND body IS NOT NULL",
        )?
        .query_row([number], |row| {
            let bytes = match row.get_ref(0)? {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                _ => Vec::new(),
            };
            Ok(Body { bytes, form: row.get(1)?, is_packed: row.get(2)?, size: row.get(3)? })
        })
        .optional()?;
    let Some(found) = found else { return Ok(false) };
    // One that nobody can read is nobody's, and would stop the erasure for ever.
    let Ok(known) = body::unpack(found.form, &found.bytes) else { return Ok(false) };
    let (form, bytes, size) = match redactor.body(&known, found.is_packed) {
        Redacted::Not => return Ok(false),
        Redacted::Dropped => (body::PLAIN, None, found.size),
        Redacted::To(rewritten) => {
            // Longer than what is kept means that it was cut, and so it stays then.
            let length = i64::try_from(known.len()).unwrap_or(i64::MAX);
            let is_whole = found.size.is_none_or(|size| size <= length);
            let size = if is_whole { i64::try_from(rewritten.len()).ok() } else { found.size };
            let (form, packed) = packer.pack(&rewritten);
            (form, Some(packed.into_owned()), size)
        }
    };
    step.tx
        .prepare_cached("UPDATE delivery SET body = ?2, body_form = ?3, size = ?4 WHERE seq = ?1")?
        .execute(params![
            number,
            bytes.as_deref().map(|bytes| stored_body(form, bytes)),
            form,
            size
        ])?;
    Ok(true)
}
