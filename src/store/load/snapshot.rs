//! Loads snapshots of users and of addresses.

use std::{collections::BTreeSet, sync::Arc};

use super::by_user;
use crate::{
    domain::{IpAddress, Login, Timestamp},
    ledger::{Facts, IpSnapshot, UserSnapshot},
    store::{
        StoreError,
        row::{self, Unreadable},
        sql::{Connection, Row, params},
    },
};

pub(super) fn users(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        "SELECT login, state, first_observed_at, observed_at, new_ips, last_new_ip_at,
            last_new_country_at, form
         FROM user_snapshot WHERE login IN rarray(?1)",
        logins,
        &mut facts.users,
        user,
    )
}

fn user(row: &Row<'_>) -> Result<Result<UserSnapshot, Unreadable>, StoreError> {
    let state = row::user_state::decode(row.get(7)?, row.text(1).unwrap_or_default());
    let (state, moments) = match (state, (row.get(2), row.get(3), last_moments(row))) {
        (Ok(state), (Ok(first), Ok(last), Some(lasts))) => (Arc::new(state), (first, last, lasts)),
        (Err(reason), _) => return Ok(Err(reason)),
        _ => return Ok(Err(Unreadable::Moment)),
    };
    let (first_observed_at, observed_at, (last_new_ip_at, last_new_country_at)) = moments;
    let new_ips = row.get(4)?;
    Ok(Ok(UserSnapshot {
        state,
        first_observed_at,
        observed_at,
        new_ips,
        last_new_ip_at,
        last_new_country_at,
    }))
}

/// When the last new address and the last new country were found.
fn last_moments(row: &Row<'_>) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let moment = |column: usize| row.get::<Option<Timestamp>>(column).ok();
    Some((moment(5)?, moment(6)?))
}

pub(super) fn ips(
    connection: &dyn Connection,
    ips: &BTreeSet<IpAddress>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ips.is_empty() {
        return Ok(());
    }
    let sql = "SELECT ip, users, first_observed_at, observed_at, new_users, last_new_user_at, form
               FROM ip_snapshot WHERE ip IN rarray(?1)";
    let keys: Vec<_> = ips.iter().map(ToString::to_string).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    connection.each(sql, params![keys[..]], |row| {
        let Ok(ip) = row.text(0).unwrap_or_default().parse::<IpAddress>() else {
            return Ok(());
        };
        let users = row::ip_users::decode(row.get(6)?, row.text(1).unwrap_or_default());
        let moments = (row.get(2), row.get(3), row.get::<Option<Timestamp>>(5));
        match (users, moments) {
            (Ok(users), (Ok(first_observed_at), Ok(observed_at), Ok(last_new_user_at))) => {
                let users = Arc::new(users);
                let new_users = row.get(4)?;
                let snapshot = IpSnapshot {
                    users,
                    first_observed_at,
                    observed_at,
                    new_users,
                    last_new_user_at,
                };
                facts.ips.load(ip, Some(snapshot));
            }
            (Err(reason), _) => facts.ips.load_unreadable(ip, &reason.to_string()),
            _ => facts.ips.load_unreadable(ip, &Unreadable::Moment.to_string()),
        }
        Ok(())
    })?;
    for ip in ips {
        facts.ips.load(*ip, None);
    }
    Ok(())
}
