//! Saves snapshots of users and of addresses.

use std::sync::Arc;

use crate::{
    domain::{IpAddress, Login},
    ledger::{Differences, IpSnapshot, UserSnapshot},
    store::{
        StoreError, columns,
        row::{ip_users, user_state},
        sql::{Bulk, Connection, integer, params},
    },
};

static USER: Bulk = Bulk::put(columns::USER_SNAPSHOT);

static USER_OBSERVED: Bulk = Bulk::update(columns::USER_SNAPSHOT.only(&[integer("observed_at")]));

static IP: Bulk = Bulk::put(columns::IP_SNAPSHOT);

static IP_OBSERVED: Bulk = Bulk::update(columns::IP_SNAPSHOT.only(&[integer("observed_at")]));

pub(super) fn users(
    connection: &dyn Connection,
    users: &Differences<'_, Login, UserSnapshot>,
) -> Result<(), StoreError> {
    // Most answers equal the one before: then only the moment is written.
    let is_same = |stored: Option<&UserSnapshot>, row: &UserSnapshot| {
        stored.is_some_and(|stored| Arc::ptr_eq(&stored.state, &row.state))
    };
    connection.write_all(&USER_OBSERVED, |put| {
        for user in users {
            if let Some(row) = user.row.filter(|row| is_same(user.stored, row)) {
                put(params![user.key.as_str(), row.observed_at])?;
            }
        }
        Ok(())
    })?;
    connection.write_all(&USER, |put| {
        for user in users {
            let Some(row) = user.row.filter(|row| !is_same(user.stored, row)) else { continue };
            put(params![
                user.key.as_str(),
                user_state::encode(&row.state),
                row.first_observed_at,
                row.observed_at,
                row.new_ips,
                row.last_new_ip_at,
                row.last_new_country_at,
                user_state::FORM,
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) fn ips(
    connection: &dyn Connection,
    ips: &Differences<'_, IpAddress, IpSnapshot>,
) -> Result<(), StoreError> {
    let is_same = |stored: Option<&IpSnapshot>, row: &IpSnapshot| {
        stored.is_some_and(|stored| Arc::ptr_eq(&stored.users, &row.users))
    };
    connection.write_all(&IP_OBSERVED, |put| {
        for ip in ips {
            if let Some(row) = ip.row.filter(|row| is_same(ip.stored, row)) {
                put(params![ip.key.to_string(), row.observed_at])?;
            }
        }
        Ok(())
    })?;
    connection.write_all(&IP, |put| {
        for ip in ips {
            let Some(row) = ip.row.filter(|row| !is_same(ip.stored, row)) else { continue };
            put(params![
                ip.key.to_string(),
                ip_users::encode(&row.users),
                row.first_observed_at,
                row.observed_at,
                row.new_users,
                row.last_new_user_at,
                ip_users::FORM,
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}
