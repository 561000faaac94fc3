//! Saves listings of the tenant.

use crate::{
    ledger::{Diff, ListingBegun, ListingDone},
    store::{
        StoreError, columns,
        row::{figures, texts},
        sql::{Bulk, Connection, params},
    },
};

static LISTING: Bulk = Bulk::put(columns::LISTING);

static REMOVED: Bulk = Bulk::delete(columns::LISTING);

static MEMBER: Bulk = Bulk::put(columns::LISTING_MEMBER);

pub(super) fn save(connection: &dyn Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    for listing in &diff.listing {
        match listing.row {
            None => remove(connection, "under_way")?,
            Some(row) => put(connection, "under_way", row, [false, false])?,
        }
    }
    for done in &diff.listing_done {
        match done.row {
            None => remove(connection, "done")?,
            Some(row) => put_done(connection, row)?,
        }
    }
    connection.write_all(&MEMBER, |put| {
        for user in &diff.members {
            let Some(row) = user.row else { continue };
            let failing = row.failing.as_ref();
            put(params![
                // There is one listing in progress at a time, so members belong to the newest one.
                diff.head.listing,
                user.key.as_str(),
                failing.map(|names| texts::encode(names.iter().map(String::as_str))),
                row.is_null,
                row.asked_at,
            ])?;
        }
        Ok(())
    })?;
    Ok(())
}

fn remove(connection: &dyn Connection, state: &str) -> Result<(), StoreError> {
    connection.write_all(&REMOVED, |put| put(params![state]))?;
    Ok(())
}

fn put_done(connection: &dyn Connection, done: &ListingDone) -> Result<(), StoreError> {
    let begun = ListingBegun {
        number: done.number,
        begun_at: done.begun_at,
        page_token: None,
        pages: 0,
        users: done.users,
        told: 0,
        skipped: done.skipped,
        figures: done.figures.clone(),
        ended_at: Some(done.completed_at),
        position: None,
    };
    put(connection, "done", &begun, [done.is_verdict, done.is_suspect])
}

fn put(
    connection: &dyn Connection,
    state: &str,
    listing: &ListingBegun,
    [is_verdict, is_suspect]: [bool; 2],
) -> Result<(), StoreError> {
    connection.write_all(&LISTING, |put| {
        put(params![
            state,
            listing.number,
            listing.begun_at,
            listing.page_token,
            listing.pages,
            listing.users,
            listing.told,
            listing.skipped,
            figures::encode(&listing.figures),
            listing.ended_at,
            listing.position,
            is_verdict,
            is_suspect,
        ])
    })?;
    Ok(())
}
