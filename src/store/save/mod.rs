//! Saves the diff of a group of changes, with one statement per kind of row.

mod check;
mod delivery;
mod event;
mod failure;
mod listing;
mod merged;
mod outcome;
mod past;
mod people;
mod service;
mod snapshot;
mod spelling;
mod watch;

pub(in crate::store) use delivery::stored_body;

use crate::{
    ledger::Diff,
    store::{
        StoreError,
        sql::{Connection, params},
        uid::Uids,
    },
};

/// Applies the diff to the stored rows. Rows are saved after those that they refer to.
pub(in crate::store) fn save(
    connection: &dyn Connection,
    uids: &Uids,
    diff: &Diff<'_>,
) -> Result<(), StoreError> {
    head(connection, diff)?;
    delivery::save(connection, diff)?;
    check::save(connection, diff)?;
    failure::save(connection, diff)?;
    people::save(connection, &diff.moves.by_set)?;
    listing::save(connection, diff)?;
    snapshot::users(connection, &diff.users)?;
    snapshot::ips(connection, &diff.ips)?;
    past::save(connection, &diff.past)?;
    spelling::save(connection, &diff.spellings)?;
    watch::save(connection, &diff.watched)?;
    outcome::polls(connection, &diff.polls)?;
    outcome::jobs(connection, &diff.jobs)?;
    outcome::nulls(connection, diff)?;
    service::tenant(connection, &diff.tenant)?;
    service::state(connection, &diff.service)?;
    service::targets(connection, &diff.targets)?;
    event::save(connection, uids, diff)?;
    event::otlp(connection, diff)
}

fn head(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let (head, counts) = (&diff.head, &diff.counts);
    connection.send(
        "UPDATE head SET event = ?1, public_events = ?2, delivery = ?3, check_number = ?4,
            listing = ?5, users = ?6, ips = ?7, failing_people = ?8, followed = ?9,
            new_ips = ?10, new_countries = ?11, event_hour = ?12",
        params![
            head.event,
            head.public_events,
            head.delivery,
            head.check,
            head.listing,
            counts.users,
            counts.ips,
            counts.failing_people,
            counts.followed,
            counts.new_ips,
            counts.new_countries,
            head.event_hour,
        ],
    )?;
    Ok(())
}
