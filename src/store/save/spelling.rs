//! Saves spellings of logins.

use std::sync::Arc;

use crate::{
    domain::Login,
    ledger::Differences,
    store::{
        StoreError, columns,
        sql::{Bulk, Connection, params},
    },
};

static SPELLING: Bulk = Bulk::put(columns::LOGIN_SPELLING);

static AS_IT_IS: Bulk = Bulk::delete(columns::LOGIN_SPELLING);

pub(super) fn save(
    connection: &dyn Connection,
    spellings: &Differences<'_, Login, Arc<str>>,
) -> Result<(), StoreError> {
    connection.write_all(&AS_IT_IS, |put| {
        for spelling in spellings.iter().filter(|spelling| spelling.row.is_none()) {
            put(params![spelling.key.as_str()])?;
        }
        Ok(())
    })?;
    connection.write_all(&SPELLING, |put| {
        for spelling in spellings {
            let Some(row) = spelling.row else { continue };
            put(params![spelling.key.as_str(), **row])?;
        }
        Ok(())
    })?;
    Ok(())
}
