//! Loads listings of the tenant: the last complete one, the one in progress, and their members.

use std::collections::{BTreeMap, BTreeSet};

use super::by_user;
use crate::{
    domain::{Login, Timestamp},
    ledger::{Facts, ListingBegun, ListingDone, Member, NextUsers, Slice},
    store::{
        StoreError,
        row::{self, Unreadable},
        sql::{Connection, Row, params},
    },
};

/// Loads the last complete listing, and the one in progress.
pub(super) fn states(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let sql = "SELECT state, number, begun_at, page_token, pages, users, told, skipped, figures,
                ended_at, position, is_verdict, is_suspect FROM listing";
    connection.each(sql, &[], |row| {
        let is_done = row.text(0).unwrap_or_default() == "done";
        match (read(row)?, is_done) {
            (Ok((begun, [is_verdict, is_suspect])), true) => {
                let ListingBegun { number, begun_at, users, skipped, figures, ended_at, .. } =
                    begun;
                let completed_at = ended_at.unwrap_or(begun_at);
                let done = ListingDone {
                    number,
                    begun_at,
                    completed_at,
                    is_verdict,
                    is_suspect,
                    users,
                    skipped,
                    figures,
                };
                facts.listing_done.load((), Some(done));
            }
            (Ok((begun, _)), false) => facts.listing.load((), Some(begun)),
            (Err(reason), true) => facts.listing_done.load_unreadable((), &reason.to_string()),
            (Err(reason), false) => facts.listing.load_unreadable((), &reason.to_string()),
        }
        Ok(())
    })?;
    facts.listing_done.load((), None);
    facts.listing.load((), None);
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Result<(ListingBegun, [bool; 2]), Unreadable>, StoreError> {
    let moment = |column: usize| {
        let moment = row.get::<Option<Timestamp>>(column);
        moment.map_err(|_| Unreadable::Moment)
    };
    let figures = row::figures::decode(row.text(8)?);
    let parts = (moment(2), moment(9), figures);
    let (begun_at, ended_at, figures) = match parts {
        (Ok(Some(begun_at)), Ok(ended_at), Ok(figures)) => (begun_at, ended_at, figures),
        (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => return Ok(Err(reason)),
        (Ok(None), ..) => return Ok(Err(Unreadable::Missing("begin"))),
    };
    let begun = ListingBegun {
        number: row.get(1)?,
        begun_at,
        page_token: row.get(3)?,
        pages: row.get(4)?,
        users: row.get(5)?,
        told: row.get(6)?,
        skipped: row.get(7)?,
        figures,
        ended_at,
        position: row.get(10)?,
    };
    Ok(Ok((begun, [row.get(11)?, row.get(12)?])))
}

/// Loads these users' rows in the last complete listing.
pub(super) fn listed_members(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        "SELECT login, failing, is_null, asked_at FROM listing_member
         WHERE listing = (SELECT number FROM listing WHERE state = 'done')
         AND login IN rarray(?1)",
        logins,
        &mut facts.listed,
        member,
    )
}

/// Loads members of the listing in progress.
pub(super) fn members(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        "SELECT login, failing, is_null, asked_at FROM listing_member
         WHERE listing = (SELECT number FROM listing WHERE state = 'under_way')
         AND login IN rarray(?1)",
        logins,
        &mut facts.members,
        member,
    )
}

fn member(row: &Row<'_>) -> Result<Result<Member, Unreadable>, StoreError> {
    let failing: Option<&str> = row.get(1)?;
    let failing = failing.map(row::texts::decode).transpose();
    let asked_at = row.get::<Timestamp>(3).map_err(|_| Unreadable::Moment);
    let is_null = row.get(2)?;
    Ok(match (failing, asked_at) {
        (Ok(failing), Ok(asked_at)) => Ok(Member { failing, is_null, asked_at }),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    })
}

/// The next users of a slice: members who may fail a check, and users with an open failure, members
/// or not.
pub(super) fn slice(
    connection: &dyn Connection,
    slice: &Slice,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    // Each half uses an index of its own; together they contain the next users of both.
    let sql = "SELECT number FROM listing WHERE state = 'under_way'";
    let Some(number) = connection.optional(sql, &[], |row| row.get::<i64>(0))? else {
        facts.slice.load(NextUsers { is_last: true, ..NextUsers::default() });
        return Ok(());
    };
    let after = slice.after.as_deref().unwrap_or_default();
    let mut texts = connection.texts(
        "SELECT login FROM listing_member
         WHERE listing = ?1 AND login > ?2 AND (is_null = 1 OR failing <> '[]')
         ORDER BY login LIMIT ?3",
        params![number, after, slice.limit],
    )?;
    texts.extend(connection.texts(
        "SELECT DISTINCT login FROM failure WHERE login > ?1 ORDER BY login LIMIT ?2",
        params![after, slice.limit],
    )?);
    let texts: BTreeSet<_> = texts.into_iter().collect();
    let mut next =
        NextUsers::from_texts(texts.into_iter().take(slice.limit).collect(), slice.limit);
    // Events about a user use the service's spelling.
    let texts: Vec<_> = next.users.iter().map(Login::as_str).collect();
    let spellings: BTreeMap<String, String> = connection
        .all(
            "SELECT login, spelling FROM login_spelling WHERE login IN rarray(?1)",
            params![texts[..]],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .into_iter()
        .collect();
    for login in &mut next.users {
        if let Some(spelling) = spellings.get(login.as_str()) {
            *login = login.clone().with_spelling(spelling);
        }
    }
    let logins = next.users.iter().cloned().collect();
    facts.slice.load(next);
    members(connection, &logins, facts)
}
