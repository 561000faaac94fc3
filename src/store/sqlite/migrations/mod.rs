//! The versions of the schema.

use std::{cmp::Ordering, path::PathBuf};

use rusqlite::{Connection, TransactionBehavior, functions::FunctionFlags};

use crate::{
    domain::{Login, TenantId, fold_title},
    store::{StoreError, row::ip_users},
};

/// One script per version, in order; a released script never changes.
const SCRIPTS: [&str; 18] = [
    include_str!("0001_initial.sql"),
    include_str!("0002_truth.sql"),
    include_str!("0003_medium.sql"),
    include_str!("0004_otlp.sql"),
    include_str!("0005_reading.sql"),
    include_str!("0006_deliveries.sql"),
    include_str!("0007_opened.sql"),
    include_str!("0008_ledger.sql"),
    include_str!("0009_people.sql"),
    include_str!("0010_words.sql"),
    include_str!("0011_decisions.sql"),
    include_str!("0012_tenant.sql"),
    include_str!("0013_trend.sql"),
    include_str!("0014_check_set.sql"),
    include_str!("0015_event_name.sql"),
    include_str!("0016_hours.sql"),
    include_str!("0017_deliveries_go.sql"),
    include_str!("0018_event_hour.sql"),
];

/// The newest version.
pub(in crate::store) const NEWEST: usize = SCRIPTS.len();

/// Upgrades the database to the newest version, completely or not at all; returns the version it
/// had, 0 when it is new.
///
/// # Errors
/// When a newer exporter wrote the database, or SQLite fails.
pub(in crate::store) fn migrate(connection: &mut Connection) -> Result<usize, StoreError> {
    // A table that others refer to can be recreated only without foreign keys, and this setting
    // cannot change within a transaction.
    connection.pragma_update(None, "foreign_keys", false)?;
    add_functions(connection)?;
    let upgraded = upgrade(connection);
    connection.pragma_update(None, "foreign_keys", true)?;
    upgraded
}

/// Adds SQL functions with which scripts apply rules of the domain.
fn add_functions(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("fold", 1, flags, |context| {
        Ok(fold_title(&context.get::<String>(0)?))
    })?;
    // A text that is no login stays unchanged, and cannot be decoded.
    connection.create_scalar_function("identity", 1, flags, |context| {
        let text: String = context.get(0)?;
        Ok(Login::new(&text).map_or(text, |login| login.as_str().to_owned()))
    })?;
    connection.create_scalar_function("merge_users", 1, flags, |context| {
        let json: String = context.get(0)?;
        Ok(ip_users::decode(ip_users::FORM, &json).map_or(json, |users| ip_users::encode(&users)))
    })?;
    connection.create_scalar_function("tenant_of", 1, flags, |context| {
        let source: String = context.get(0)?;
        Ok(TenantId::of_source(&source).map(|id| id.to_string()))
    })?;
    Ok(())
}

/// Creates a database of an older version.
#[cfg(test)]
pub(in crate::store) fn make(connection: &Connection, version: usize) -> Result<(), StoreError> {
    add_functions(connection)?;
    for script in &SCRIPTS[..version] {
        connection.execute_batch(script)?;
    }
    connection.pragma_update(None, "user_version", version)?;
    Ok(())
}

fn upgrade(connection: &mut Connection) -> Result<usize, StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let found: usize = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCRIPTS.len() {
        return Err(StoreError::TooNew { path: file(&tx), found, known: SCRIPTS.len() });
    }
    for script in &SCRIPTS[found..] {
        tx.execute_batch(script)?;
    }
    tx.pragma_update(None, "user_version", SCRIPTS.len())?;
    tx.commit()?;
    Ok(found)
}

/// Whether the tables belong to another program: a new database has none, and each of our versions
/// has the log.
pub(in crate::store) fn is_foreign(
    connection: &Connection,
    version: usize,
) -> Result<bool, StoreError> {
    let tables = |condition: &str| -> Result<i64, StoreError> {
        let sql = format!("SELECT count(*) FROM sqlite_master WHERE type = 'table' {condition}");
        Ok(connection.query_row(&sql, [], |row| row.get(0))?)
    };
    Ok(if version == 0 { tables("")? > 0 } else { tables("AND name = 'event'")? == 0 })
}

/// The version of a database; 0 when it is new.
pub(in crate::store) fn version(connection: &Connection) -> Result<usize, StoreError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Checks that a database has the newest version.
///
/// # Errors
/// When it is older or newer, or SQLite fails.
pub(in crate::store) fn check(connection: &Connection) -> Result<(), StoreError> {
    let found: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found.cmp(&SCRIPTS.len()) {
        Ordering::Less => Err(StoreError::TooOld(file(connection))),
        Ordering::Equal => Ok(()),
        Ordering::Greater => {
            Err(StoreError::TooNew { path: file(connection), found, known: SCRIPTS.len() })
        }
    }
}

fn file(connection: &Connection) -> PathBuf {
    connection.path().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_migration_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let id = |connection: &Connection| {
            connection
                .query_row("SELECT value FROM meta", [], |row| row.get::<_, String>(0))
                .unwrap()
        };
        let first = id(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(id(&connection), first);
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err();
        assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    }
}
