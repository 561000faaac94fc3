//! Rows that both the writer thread and readers read.

use crate::{
    domain::{Admin, CheckId, Integration, Login, TenantId, Timestamp, WebhookTarget},
    ledger::CheckNumber,
    store::{
        StoreError,
        row::texts,
        sql::{Connection, params},
    },
};

/// The name of the OTLP delivery among the receivers of the log.
pub(in crate::store) const OTLP: &str = "otlp";

/// The prefix of the keys of `meta` that say which check a merged one became.
pub(in crate::store) const MERGED: &str = "merged_check:";

/// The condition for those rows of `meta`.
pub(in crate::store) const IS_MERGED: &str = "key LIKE 'merged^_check:%' ESCAPE '^'";

/// The number of a merged check, and of the check that it became, from a row of `meta`.
pub(in crate::store) fn parse_merged(key: &str, value: &str) -> Option<(CheckNumber, CheckNumber)> {
    Some((key.strip_prefix(MERGED)?.parse().ok()?, value.parse().ok()?))
}

/// The tenant that deliveries are from. An id that cannot be decoded counts as none; the next
/// delivery stores it again.
pub(in crate::store) fn tenant_id(
    connection: &dyn Connection,
) -> Result<Option<TenantId>, StoreError> {
    let id: Option<Option<TenantId>> =
        connection.optional("SELECT value FROM meta WHERE key = 'tenant_id'", &[], |row| {
            Ok(TenantId::parse(row.text(0)?))
        })?;
    Ok(id.flatten())
}

/// When a part of the service was last answered, with its number.
pub(in crate::store) fn service_seen(
    connection: &dyn Connection,
    part: &str,
) -> Result<Option<(Timestamp, Option<u64>)>, StoreError> {
    connection.optional(
        "SELECT seen_at, number FROM service_seen WHERE part = ?1",
        params![part],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The integrations.
pub(in crate::store) fn integrations(
    connection: &dyn Connection,
) -> Result<Vec<Integration>, StoreError> {
    let sql = "SELECT id, name, status, date, error FROM integration ORDER BY id";
    connection.all(sql, &[], |row| {
        Ok(Integration {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            // 0 stands for no date.
            date: Some(row.get(3)?).filter(|date| *date != Timestamp::UNIX_EPOCH),
            error: row.get(4)?,
        })
    })
}

/// The administrators; none before the first answer.
pub(in crate::store) fn admins(
    connection: &dyn Connection,
) -> Result<Option<Vec<Admin>>, StoreError> {
    if service_seen(connection, "admins")?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT login, display_name, last_sign_in_at FROM admin ORDER BY login";
    let admins = connection.all(sql, &[], |row| {
        let login = row.text(0)?;
        Ok(Admin {
            login: Login::new(login).map_err(|error| StoreError::corrupt("admin", login, error))?,
            display_name: row.get(1)?,
            last_sign_in: row.get(2)?,
        })
    });
    admins.map(Some)
}

/// The targets, in the order of their registration.
pub(in crate::store) fn webhook_targets(
    connection: &dyn Connection,
) -> Result<Vec<WebhookTarget>, StoreError> {
    let sql = "SELECT id, name, url, check_ids, registered_at FROM webhook_target
               ORDER BY registered_at, id";
    connection.all(sql, &[], |row| {
        let id: String = row.get(0)?;
        let check_ids: Vec<String> = texts::decode(row.text(3)?)
            .map_err(|error| StoreError::corrupt("webhook_target", &id, error))?;
        Ok(WebhookTarget {
            id,
            name: row.get(1)?,
            url: row.get(2)?,
            check_ids: check_ids.iter().filter_map(|id| CheckId::new(id)).collect(),
            registered_at: row.get(4)?,
        })
    })
}

/// The number of public events up to and including this number, since the first event ever. When
/// the event was removed, the next stored one gives the number. The cost does not depend on the
/// size of the log.
pub(in crate::store) fn count_public_up_to(
    connection: &dyn Connection,
    seq: i64,
) -> Result<i64, StoreError> {
    for sql in [
        "SELECT ordinal FROM event WHERE seq = ?1",
        "SELECT ordinal - public FROM event WHERE seq > ?1 ORDER BY seq LIMIT 1",
    ] {
        if let Some(found) = connection.optional(sql, params![seq], |row| row.get(0))? {
            return Ok(found);
        }
    }
    connection.one("SELECT public_events FROM head", &[], |row| row.get(0))
}
