//! What is remembered of lists: when each was last given to anybody, and for whom
//! it is null.

use rusqlite::{OptionalExtension, Savepoint, params};

use crate::{
    domain::{
        ListField, Login, Timestamp,
        null_list::{FieldMemory, NullMeaning},
    },
    store::{
        StoreError,
        moment::{from_micros, to_micros},
    },
};

/// Remembers that a list was given to a user.
pub(super) fn note_list(
    tx: &Savepoint<'_>,
    login: &Login,
    field: ListField,
    is_empty: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    remember(tx, field, is_empty, at)?;
    tx.prepare_cached("DELETE FROM list_null WHERE login = ?1 AND field = ?2")?
        .execute([login.as_str(), field.as_str()])?;
    Ok(())
}

/// Remembers that a list was given to anybody.
pub(super) fn remember(
    tx: &Savepoint<'_>,
    field: ListField,
    is_empty: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO list_memory (field, last_list_at, gave_empty) VALUES (?1, ?2, ?3)
         ON CONFLICT (field) DO UPDATE SET
            last_list_at = max(last_list_at, excluded.last_list_at),
            gave_empty = max(gave_empty, excluded.gave_empty)",
    )?
    .execute(params![field.as_str(), to_micros(at), is_empty])?;
    Ok(())
}

/// Remembers that a list is null for a user; returns since when.
pub(super) fn note_null(
    tx: &Savepoint<'_>,
    login: &Login,
    field: ListField,
    at: Timestamp,
) -> Result<Timestamp, StoreError> {
    let since = tx
        .prepare_cached(
            "INSERT INTO list_null (login, field, since, last_at) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (login, field) DO UPDATE SET last_at = max(last_at, excluded.last_at)
             RETURNING since",
        )?
        .query_row(params![login.as_str(), field.as_str(), to_micros(at)], |row| row.get(0))?;
    from_micros(since)
}

/// Keeps what a user's null was judged to mean.
pub(super) fn save_meaning(
    tx: &Savepoint<'_>,
    login: &str,
    field: ListField,
    meaning: NullMeaning,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE list_null SET meaning = ?3
         WHERE login = ?1 AND field = ?2 AND meaning != ?3",
    )?
    .execute(params![login, field.as_str(), meaning.as_str()])?;
    Ok(())
}

/// What the service gave for a field so far.
pub(super) fn memory(tx: &Savepoint<'_>, field: ListField) -> Result<FieldMemory, StoreError> {
    let row = tx
        .prepare_cached("SELECT last_list_at, gave_empty FROM list_memory WHERE field = ?1")?
        .query_row([field.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((last_list_at, gave_empty)) = row else { return Ok(FieldMemory::default()) };
    Ok(FieldMemory { last_list_at: Some(from_micros(last_list_at)?), gave_empty })
}

/// The lists that are null for a user, each since when.
pub(super) fn nulls(
    tx: &Savepoint<'_>,
    login: &Login,
) -> Result<Vec<(ListField, Timestamp)>, StoreError> {
    let mut select = tx.prepare_cached("SELECT field, since FROM list_null WHERE login = ?1")?;
    let mut rows = select.query([login.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let field = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let field = ListField::parse(field).ok_or(StoreError::Corrupt("list field"))?;
        found.push((field, from_micros(row.get(1)?)?));
    }
    Ok(found)
}
