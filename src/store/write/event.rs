//! Appending to the log.

use rusqlite::{Savepoint, params};

use crate::{
    domain::{CheckId, Event, Login},
    store::{StoreError, moment::to_micros},
};

/// Appends one entry.
pub(super) fn append(tx: &Savepoint<'_>, event: &Event) -> Result<(), StoreError> {
    let attributes = serde_json::to_string(&event.attributes)
        .map_err(|_| StoreError::Corrupt("set of attributes"))?;
    tx.prepare_cached(
        "INSERT INTO event (name, public, check_id, login, ip, application,
                            happened_at, observed_at, severity, body, attributes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        event.name.as_str(),
        event.name.is_public(),
        event.check_id.as_ref().map(CheckId::as_str),
        event.login.as_ref().map(Login::as_str),
        event.ip,
        event.application,
        to_micros(event.happened_at),
        to_micros(event.observed_at),
        event.severity.text(),
        event.body,
        attributes,
    ])?;
    Ok(())
}
