//! Loads the rows that a group of changes needs, a set of keys per query.

mod check;
mod delivery;
mod exchange;
mod failure;
mod listing;
mod merged;
mod nulls;
mod otlp;
mod outcome;
mod past;
mod service;
mod snapshot;
mod spelling;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{Login, WatchSubject},
    ledger::{Counts, Facts, Head, Keys, Table, WholeTable},
    store::{
        StoreError,
        row::Unreadable,
        shared::tenant_id,
        sql::{Connection, Row, params},
    },
};

/// The last number of each kind, and the counts.
pub(in crate::store) fn head(connection: &dyn Connection) -> Result<(Head, Counts), StoreError> {
    connection.one(
        "SELECT event, public_events, delivery, check_number, listing, users, ips,
            failing_people, followed, new_ips, new_countries, event_hour FROM head",
        &[],
        |row| {
            let head = Head {
                event: row.get(0)?,
                public_events: row.get(1)?,
                event_hour: row.get(11)?,
                delivery: row.get(2)?,
                check: row.get(3)?,
                listing: row.get(4)?,
            };
            let counts = Counts {
                users: row.get(5)?,
                ips: row.get(6)?,
                failing_people: row.get(7)?,
                followed: row.get(8)?,
                new_ips: row.get(9)?,
                new_countries: row.get(10)?,
            };
            Ok((head, counts))
        },
    )
}

/// Loads the rows of these keys.
pub(in crate::store) fn load(
    connection: &dyn Connection,
    keys: &Keys,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    delivery::envelopes(connection, &keys.envelopes, facts)?;
    if keys.whole.contains(&WholeTable::Refused) {
        delivery::refused_deliveries(connection, facts)?;
    }
    if keys.whole.contains(&WholeTable::Checks) {
        check::all(connection, facts)?;
    }
    check::by_id(connection, &keys.checks, facts)?;
    check::by_title(connection, &keys.titles, facts)?;
    failure::of_users(connection, &keys.failures_of, facts)?;
    if let Some((check, limit)) = &keys.failing {
        failure::of_check(connection, check, *limit, facts)?;
    }
    failure::at_checks(connection, &keys.failures_at, facts)?;
    failure::last_reports(connection, &keys.last_reports_at, facts)?;
    if let Some(filter) = &keys.people_admitted {
        failure::admitted_people(connection, filter, facts)?;
    }
    if keys.whole.contains(&WholeTable::Exchanges) {
        exchange::all(connection, facts)?;
    }
    if keys.whole.contains(&WholeTable::Listing) {
        listing::states(connection, facts)?;
    }
    failure::answer_progress(connection, &keys.answered, facts)?;
    listing::listed_members(connection, &keys.answered, facts)?;
    if let Some(slice) = &keys.slice {
        listing::slice(connection, slice, facts)?;
    }
    if let Some(slice) = &keys.exchanging {
        exchange::next(connection, slice, facts)?;
    }
    if let Some(limit) = keys.moving {
        merged::next(connection, limit, facts)?;
    }
    listing::members(connection, &keys.members, facts)?;
    snapshot::users(connection, &keys.users, facts)?;
    snapshot::ips(connection, &keys.ips, facts)?;
    past::of_subjects(connection, &keys.past, facts)?;
    spelling::of_users(connection, &keys.spellings, facts)?;
    watch::subjects(connection, &keys.watched, facts)?;
    watch::matching_subjects(connection, &keys.watched_for, keys.expired_at, facts)?;
    outcome::polls(connection, &keys.polls, facts)?;
    outcome::jobs(connection, &keys.jobs, facts)?;
    nulls::of_users(connection, &keys.nulls_of, facts)?;
    if keys.whole.contains(&WholeTable::ListMemory) {
        nulls::memory(connection, facts)?;
    }
    if keys.whole.contains(&WholeTable::Tenant) {
        facts.tenant.load((), tenant_id(connection)?);
    }
    if keys.whole.contains(&WholeTable::Service) {
        service::state(connection, facts)?;
    }
    service::targets(connection, &keys.targets, facts)?;
    if keys.whole.contains(&WholeTable::Otlp) {
        otlp::state(connection, facts)?;
    }
    if let Some(slice) = &keys.parked {
        otlp::parked_events(connection, slice, facts)?;
    }
    if let Some(slice) = &keys.gap {
        otlp::gap_events(connection, slice, facts)?;
    }
    Ok(())
}

/// Passes each row of users to `take`. `sql` takes the logins as `rarray(?1)` and returns the login
/// first. A stored text that is no login is skipped.
fn each_of_users(
    connection: &dyn Connection,
    sql: &str,
    logins: &BTreeSet<Login>,
    mut take: impl FnMut(Login, &Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if logins.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = logins.iter().map(Login::as_str).collect();
    connection.each(sql, params![texts[..]], |row| {
        match Login::new(row.text(0).unwrap_or_default()) {
            Ok(login) => take(login, row),
            Err(_) => Ok(()),
        }
    })
}

/// Loads a table's rows of users: `sql` as for [`each_of_users`], and `read` converts each row.
fn by_user<V: Clone>(
    connection: &dyn Connection,
    sql: &str,
    logins: &BTreeSet<Login>,
    table: &mut Table<Login, V>,
    read: impl Fn(&Row<'_>) -> Result<Result<V, Unreadable>, StoreError>,
) -> Result<(), StoreError> {
    each_of_users(connection, sql, logins, |login, row| {
        match read(row)? {
            Ok(found) => table.load(login, Some(found)),
            Err(reason) => table.load_unreadable(login, &reason.to_string()),
        }
        Ok(())
    })?;
    for login in logins {
        table.load(login.clone(), None);
    }
    Ok(())
}

/// Passes each row of these subjects to `take`, by the kind of subject and its text: `sql` takes
/// the kind, and the texts as `rarray(?2)`, and returns the text first.
fn each_of_subjects<'a>(
    connection: &dyn Connection,
    sql: &str,
    subjects: &'a BTreeSet<WatchSubject>,
    mut take: impl FnMut(&'a WatchSubject, &Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for kind in ["user", "ip"] {
        let of_kind = subjects.iter().filter(|subject| subject.kind() == kind);
        let by_text: BTreeMap<String, &WatchSubject> =
            of_kind.map(|subject| (subject.text(), subject)).collect();
        if by_text.is_empty() {
            continue;
        }
        let texts: Vec<_> = by_text.keys().map(String::as_str).collect();
        connection.each(sql, params![kind, texts[..]], |row| match by_text.get(row.text(0)?) {
            Some(&subject) => take(subject, row),
            None => Ok(()),
        })?;
    }
    Ok(())
}
