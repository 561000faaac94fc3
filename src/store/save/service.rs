//! Saves the state of the service itself, and the webhook targets that were registered with it.

use std::collections::BTreeMap;

use crate::{
    domain::{Admin, CheckId, Integration, TenantId, Timestamp, WebhookTarget},
    ledger::{Differences, ServiceState},
    store::{
        StoreError, columns,
        row::texts,
        sql::{Bulk, Connection, params},
    },
};

static INTEGRATION: Bulk = Bulk::insert(columns::INTEGRATION);

static ADMIN: Bulk = Bulk::insert(columns::ADMIN);

static SEEN: Bulk = Bulk::insert(columns::SERVICE_SEEN);

static TARGET: Bulk = Bulk::put(columns::WEBHOOK_TARGET);

static NO_TARGET: Bulk = Bulk::delete(columns::WEBHOOK_TARGET);

/// Saves the tenant that deliveries are from.
pub(super) fn tenant(
    connection: &dyn Connection,
    tenant: &Differences<'_, (), TenantId>,
) -> Result<(), StoreError> {
    for id in tenant.iter().filter_map(|entry| entry.row) {
        connection.send(
            "INSERT INTO meta (key, value) VALUES ('tenant_id', ?1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            params![id.to_string()],
        )?;
    }
    Ok(())
}

/// Replaces all rows: there are only a handful.
pub(super) fn state(
    connection: &dyn Connection,
    service: &Differences<'_, (), ServiceState>,
) -> Result<(), StoreError> {
    for state in service {
        for sql in ["DELETE FROM integration", "DELETE FROM admin", "DELETE FROM service_seen"] {
            connection.send(sql, &[])?;
        }
        let Some(state) = state.row else { continue };
        // If the service lists an id twice, the last one counts.
        let integrations: BTreeMap<&str, &Integration> =
            state.integrations.iter().map(|found| (found.id.as_str(), found)).collect();
        connection.write_all(&INTEGRATION, |put| {
            for Integration { id, name, status, date, error } in integrations.values() {
                // 0 stands for no date.
                let date = date.unwrap_or(Timestamp::UNIX_EPOCH);
                put(params![id, name, status, date, error])?;
            }
            Ok(())
        })?;
        let admins: BTreeMap<&str, &Admin> =
            state.admins.iter().flatten().map(|admin| (admin.login.spelling(), admin)).collect();
        connection.write_all(&ADMIN, |put| {
            for (login, Admin { display_name, last_sign_in, .. }) in &admins {
                put(params![login, display_name, last_sign_in])?;
            }
            Ok(())
        })?;
        connection.write_all(&SEEN, |put| {
            for (part, seen) in &state.seen {
                let number = seen.number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
                put(params![part, seen.at, number])?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

pub(super) fn targets(
    connection: &dyn Connection,
    targets: &Differences<'_, String, WebhookTarget>,
) -> Result<(), StoreError> {
    connection.write_all(&NO_TARGET, |put| {
        for target in targets.iter().filter(|target| target.row.is_none()) {
            put(params![target.key])?;
        }
        Ok(())
    })?;
    connection.write_all(&TARGET, |put| {
        for row in targets.iter().filter_map(|target| target.row) {
            put(params![
                row.id,
                row.name,
                row.url,
                texts::encode(row.check_ids.iter().map(CheckId::as_str)),
                row.registered_at,
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}
