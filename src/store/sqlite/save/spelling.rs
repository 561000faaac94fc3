//! How logins are spelled.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::{domain::Login, ledger::Differences, store::StoreError};

pub(super) fn save(
    connection: &Connection,
    spellings: &Differences<'_, Login, Arc<str>>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO login_spelling (login, spelling) VALUES (?1, ?2)",
    )?;
    let mut remove = connection.prepare_cached("DELETE FROM login_spelling WHERE login = ?1")?;
    for spelling in spellings {
        match spelling.row {
            None => remove.execute([spelling.key.as_str()])?,
            Some(row) => put.execute(params![spelling.key.as_str(), &**row])?,
        };
    }
    Ok(())
}
