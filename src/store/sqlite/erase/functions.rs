//! Functions by which SQL finds a person in what is stored.

use std::sync::Arc;

use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use crate::store::{StoreError, row::redact::Redactor};

const NAMES: [&str; 4] = ["is_person", "without_person", "without_member", "impersonal"];

/// Does something with a connection that has the functions for this person.
pub(super) fn with<T>(
    connection: &mut Connection,
    redactor: Redactor,
    work: impl FnOnce(&mut Connection, &Redactor) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let redactor = Arc::new(redactor);
    let [is_person, without_person, without_member, impersonal] = NAMES;
    add(connection, is_person, &redactor, |redactor, text| Ok(Some(redactor.is(text))))?;
    add(connection, without_person, &redactor, |redactor, text| Ok(redactor.text(text)))?;
    add(connection, without_member, &redactor, |redactor, text| Ok(redactor.members(text)))?;
    add(connection, impersonal, &redactor, |redactor, text| {
        // What cannot be read cannot be kept apart from the person.
        Ok(Some(redactor.attributes(text).unwrap_or_else(|_| "{}".to_owned())))
    })?;
    let done = work(connection, &redactor);
    // Statements that are kept must not find the next person by the functions of this one.
    connection.flush_prepared_statement_cache();
    for name in NAMES {
        connection.remove_function(name, 1)?;
    }
    done
}

/// Adds a function of one text; of anything else it is NULL.
fn add<T: rusqlite::types::ToSql + 'static>(
    connection: &Connection,
    name: &str,
    redactor: &Arc<Redactor>,
    of: fn(&Redactor, &str) -> rusqlite::Result<Option<T>>,
) -> Result<(), StoreError> {
    let redactor = redactor.clone();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(name, 1, flags, move |context: &mut Context<'_>| {
        match context.get_raw(0) {
            ValueRef::Text(bytes) => of(&redactor, &String::from_utf8_lossy(bytes)),
            _ => Ok(None),
        }
    })?;
    Ok(())
}
