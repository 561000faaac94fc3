//! What both the thread that writes and readers read.

use rusqlite::{Connection, OptionalExtension};

use crate::{
    domain::{Admin, CheckId, Integration, Login, TenantId, Timestamp, WebhookTarget},
    store::{
        StoreError,
        row::{Moment, texts},
    },
};

/// The name of the OTLP delivery among the receivers of the log.
pub(in crate::store) const OTLP: &str = "otlp";

/// Which tenant deliveries are from; one that cannot be read is told anew by the next.
pub(in crate::store) fn tenant_id(connection: &Connection) -> Result<Option<TenantId>, StoreError> {
    let id: Option<String> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = 'tenant_id'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(id.as_deref().and_then(TenantId::parse))
}

/// When a part of the service was last seen, with its number.
pub(in crate::store) fn seen(
    connection: &Connection,
    part: &str,
) -> Result<Option<(Timestamp, Option<u64>)>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT seen_at, number FROM service_seen WHERE part = ?1")?
        .query_row([part], |row| Ok((row.get::<_, Moment>(0)?.0, row.get(1)?)))
        .optional()?)
}

/// The integrations.
pub(in crate::store) fn integrations(
    connection: &Connection,
) -> Result<Vec<Integration>, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT id, name, status, date, error FROM integration ORDER BY id")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Integration {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            // 0 stands for a date that was not told.
            date: Some(row.get::<_, Moment>(3)?.0).filter(|date| *date != Timestamp::UNIX_EPOCH),
            error: row.get(4)?,
        });
    }
    Ok(found)
}

/// The administrators; nothing when nobody ever looked.
pub(in crate::store) fn admins(connection: &Connection) -> Result<Option<Vec<Admin>>, StoreError> {
    if seen(connection, "admins")?.is_none() {
        return Ok(None);
    }
    let mut select = connection
        .prepare_cached("SELECT login, display_name, last_sign_in_at FROM admin ORDER BY login")?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let login: String = row.get(0)?;
        found.push(Admin {
            login: Login::new(&login)
                .map_err(|error| StoreError::corrupt("admin", &login, error))?,
            display_name: row.get(1)?,
            last_sign_in: row.get::<_, Option<Moment>>(2)?.map(Timestamp::from),
        });
    }
    Ok(Some(found))
}

/// The targets, in the order of their registration.
pub(in crate::store) fn webhook_targets(
    connection: &Connection,
) -> Result<Vec<WebhookTarget>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT id, name, url, check_ids, registered_at FROM webhook_target
             ORDER BY registered_at, id",
    )?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let check_ids: Vec<String> = texts::decode(&row.get::<_, String>(3)?)
            .map_err(|error| StoreError::corrupt("webhook_target", &id, error))?;
        found.push(WebhookTarget {
            id,
            name: row.get(1)?,
            url: row.get(2)?,
            check_ids: check_ids.iter().filter_map(|id| CheckId::new(id)).collect(),
            registered_at: row.get::<_, Moment>(4)?.0,
        });
    }
    Ok(found)
}

/// How many public events there are up to and with this number, since the first
/// event ever: of those that were removed, the next one tells. It costs the same
/// whatever the log holds.
pub(in crate::store) fn public_up_to(connection: &Connection, seq: i64) -> Result<i64, StoreError> {
    for sql in [
        "SELECT ordinal FROM event WHERE seq = ?1",
        "SELECT ordinal - public FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1",
    ] {
        let found =
            connection.prepare_cached(sql)?.query_row([seq], |row| row.get(0)).optional()?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Ok(connection
        .prepare_cached("SELECT public_events FROM head")?
        .query_row([], |row| row.get(0))?)
}
