//! Listings of the tenant.

use rusqlite::{Connection, params};

use crate::{
    domain::Login,
    ledger::{Diff, ListingBegun, ListingDone},
    store::{
        StoreError,
        row::{Moment, figures, texts},
    },
};

pub(super) fn save(connection: &Connection, diff: &Diff<'_>) -> Result<(), StoreError> {
    let mut remove = connection.prepare_cached("DELETE FROM listing WHERE state = ?1")?;
    for listing in &diff.listing {
        match listing.row {
            None => {
                remove.execute(["under_way"])?;
            }
            Some(row) => put(connection, "under_way", row, [false, false])?,
        }
    }
    for done in &diff.listing_done {
        match done.row {
            None => {
                remove.execute(["done"])?;
            }
            Some(row) => put_done(connection, row)?,
        }
    }
    let mut member = connection.prepare_cached(
        "INSERT OR REPLACE INTO listing_member (listing, login, failing, is_null, asked_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for user in &diff.members {
        let Some(row) = user.row else { continue };
        let failing = row.failing.as_ref();
        member.execute(params![
            // Members are those of the newest listing: there is one at a time.
            diff.head.listing,
            user.key.as_str(),
            failing.map(|names| texts::encode(names.iter().map(String::as_str))),
            row.is_null,
            Moment(row.asked_at),
        ])?;
    }
    Ok(())
}

fn put_done(connection: &Connection, done: &ListingDone) -> Result<(), StoreError> {
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
    connection: &Connection,
    state: &str,
    listing: &ListingBegun,
    [is_verdict, is_suspect]: [bool; 2],
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO listing (state, number, begun_at, page_token, pages, users,
                told, skipped, figures, ended_at, position, is_verdict,
                is_suspect)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            state,
            listing.number,
            Moment(listing.begun_at),
            listing.page_token,
            listing.pages,
            listing.users,
            listing.told,
            listing.skipped,
            figures::encode(&listing.figures),
            listing.ended_at.map(Moment),
            listing.position.as_ref().map(Login::as_str),
            is_verdict,
            is_suspect,
        ])?;
    Ok(())
}
