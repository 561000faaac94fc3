//! Snapshots of users and of addresses.

use std::sync::Arc;

use rusqlite::{Connection, params};

use crate::{
    domain::{IpAddress, Login},
    ledger::{Differences, IpSnapshot, UserSnapshot},
    store::{
        StoreError,
        row::{Moment, ip_users, user_state},
    },
};

pub(super) fn users(
    connection: &Connection,
    users: &Differences<'_, Login, UserSnapshot>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO user_snapshot
            (login, state, first_observed_at, observed_at, new_ips, last_new_ip_at,
             last_new_country_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut observe =
        connection.prepare_cached("UPDATE user_snapshot SET observed_at = ?2 WHERE login = ?1")?;
    for user in users {
        let Some(row) = user.row else { continue };
        // Most answers say what the one before said: then only the moment is written.
        if user.stored.is_some_and(|stored| Arc::ptr_eq(&stored.state, &row.state)) {
            observe.execute(params![user.key.as_str(), Moment(row.observed_at)])?;
            continue;
        }
        put.execute(params![
            user.key.as_str(),
            user_state::encode(&row.state),
            Moment(row.first_observed_at),
            Moment(row.observed_at),
            row.new_ips,
            row.last_new_ip_at.map(Moment),
            row.last_new_country_at.map(Moment),
        ])?;
    }
    Ok(())
}

pub(super) fn ips(
    connection: &Connection,
    ips: &Differences<'_, IpAddress, IpSnapshot>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO ip_snapshot
            (ip, users, first_observed_at, observed_at, new_users, last_new_user_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut observe =
        connection.prepare_cached("UPDATE ip_snapshot SET observed_at = ?2 WHERE ip = ?1")?;
    for ip in ips {
        let Some(row) = ip.row else { continue };
        if ip.stored.is_some_and(|stored| Arc::ptr_eq(&stored.users, &row.users)) {
            observe.execute(params![ip.key.to_string(), Moment(row.observed_at)])?;
            continue;
        }
        put.execute(params![
            ip.key.to_string(),
            ip_users::encode(&row.users),
            Moment(row.first_observed_at),
            Moment(row.observed_at),
            row.new_users,
            row.last_new_user_at.map(Moment),
        ])?;
    }
    Ok(())
}
