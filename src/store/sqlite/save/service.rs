//! The service itself, and the webhook targets that were registered with it.

use rusqlite::{Connection, params};

use crate::{
    domain::{Admin, CheckId, Integration, TenantId, Timestamp, WebhookTarget},
    ledger::{Differences, ServiceState},
    store::{
        StoreError,
        row::{Moment, texts},
    },
};

/// Which tenant deliveries are from.
pub(super) fn tenant(
    connection: &Connection,
    tenant: &Differences<'_, (), TenantId>,
) -> Result<(), StoreError> {
    for id in tenant.iter().filter_map(|entry| entry.row) {
        connection
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('tenant_id', ?1)")?
            .execute([id.to_string()])?;
    }
    Ok(())
}

/// A handful of rows: they are written as a whole.
pub(super) fn state(
    connection: &Connection,
    service: &Differences<'_, (), ServiceState>,
) -> Result<(), StoreError> {
    for state in service {
        connection.execute_batch(
            "DELETE FROM integration; DELETE FROM admin; DELETE FROM service_seen;",
        )?;
        let Some(state) = state.row else { continue };
        let mut insert = connection.prepare_cached(
            "INSERT OR REPLACE INTO integration (id, name, status, date, error)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for Integration { id, name, status, date, error } in &state.integrations {
            // 0 stands for a date that was not told.
            insert.execute(params![
                id,
                name,
                status,
                Moment(date.unwrap_or(Timestamp::UNIX_EPOCH)),
                error
            ])?;
        }
        let mut insert = connection.prepare_cached(
            "INSERT OR REPLACE INTO admin (login, display_name, last_sign_in_at)
             VALUES (?1, ?2, ?3)",
        )?;
        for Admin { login, display_name, last_sign_in } in state.admins.iter().flatten() {
            insert.execute(params![login.spelling(), display_name, last_sign_in.map(Moment)])?;
        }
        let mut insert = connection.prepare_cached(
            "INSERT INTO service_seen (part, seen_at, number) VALUES (?1, ?2, ?3)",
        )?;
        for (part, seen) in &state.seen {
            let number = seen.number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
            insert.execute(params![part, Moment(seen.at), number])?;
        }
    }
    Ok(())
}

pub(super) fn targets(
    connection: &Connection,
    targets: &Differences<'_, String, WebhookTarget>,
) -> Result<(), StoreError> {
    for target in targets {
        let Some(row) = target.row else {
            connection.execute("DELETE FROM webhook_target WHERE id = ?1", [target.key])?;
            continue;
        };
        connection.execute(
            "INSERT OR REPLACE INTO webhook_target (id, name, url, check_ids, registered_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                row.id,
                row.name,
                row.url,
                texts::encode(row.check_ids.iter().map(CheckId::as_str)),
                Moment(row.registered_at),
            ],
        )?;
    }
    Ok(())
}
