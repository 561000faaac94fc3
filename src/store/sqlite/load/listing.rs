//! Listings of the tenant: the last complete one, the one under way, and their
//! members.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::by_user;
use crate::{
    domain::{Login, Timestamp},
    ledger::{Facts, ListingBegun, ListingDone, Member, Slice},
    store::{
        StoreError,
        row::{self, Moment, Unreadable},
    },
};

/// The last complete listing, and the one under way.
pub(super) fn states(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT state, number, begun_at, page_token, pages, users, told, skipped, figures,
                ended_at, position, is_verdict, is_suspect FROM listing",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let is_done = row.get_ref(0)?.as_str().unwrap_or_default() == "done";
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
    }
    facts.listing_done.load((), None);
    facts.listing.load((), None);
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Result<(ListingBegun, [bool; 2]), Unreadable>, StoreError> {
    let moment = |column: usize| {
        let moment = row.get::<_, Option<Moment>>(column);
        moment.map(|moment| moment.map(Timestamp::from)).map_err(|_| Unreadable::Moment)
    };
    let position: Option<String> = row.get(10)?;
    let position = position.map(|text| Login::new(&text).map_err(Unreadable::from));
    let figures = row::figures::decode(&row.get::<_, String>(8)?);
    let parts = (moment(2), moment(9), position.transpose(), figures);
    let (begun_at, ended_at, position, figures) = match parts {
        (Ok(Some(begun_at)), Ok(ended_at), Ok(position), Ok(figures)) => {
            (begun_at, ended_at, position, figures)
        }
        (Err(reason), ..) | (_, Err(reason), ..) | (_, _, Err(reason), _) | (.., Err(reason)) => {
            return Ok(Err(reason));
        }
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
        position,
    };
    Ok(Ok((begun, [row.get(11)?, row.get(12)?])))
}

/// What the last complete listing said of these users.
pub(super) fn listed(
    connection: &Connection,
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

/// Members of the listing under way.
pub(super) fn members(
    connection: &Connection,
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
    let failing: Option<String> = row.get(1)?;
    let failing = failing.map(|json| row::texts::decode(&json)).transpose();
    let asked_at = row.get::<_, Moment>(3).map_err(|_| Unreadable::Moment);
    let is_null = row.get(2)?;
    Ok(match (failing, asked_at) {
        (Ok(failing), Ok(Moment(asked_at))) => Ok(Member { failing, is_null, asked_at }),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    })
}

/// The users who come next: members who may fail something, and those who have an
/// open failure, whether they are members or not.
pub(super) fn slice(
    connection: &Connection,
    slice: &Slice,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    // Each half by an index of its own; together they have the next ones of both.
    let number: Option<i64> = connection
        .prepare_cached("SELECT number FROM listing WHERE state = 'under_way'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let after = slice.after.as_ref().map_or("", Login::as_str);
    let limit = i64::try_from(slice.limit).unwrap_or(i64::MAX);
    let mut next = BTreeSet::<String>::new();
    for sql in [
        "SELECT login FROM listing_member
         WHERE listing = ?1 AND login > ?2 AND (is_null OR failing <> '[]')
         ORDER BY login LIMIT ?3",
        "SELECT DISTINCT login FROM failure
         WHERE ?1 IS NOT NULL AND login > ?2 ORDER BY login LIMIT ?3",
    ] {
        let mut select = connection.prepare_cached(sql)?;
        let mut rows = select.query(params![number, after, limit])?;
        while let Some(row) = rows.next()? {
            next.insert(row.get(0)?);
        }
    }
    // What happens to a user is told in the service's spelling.
    let mut spelling =
        connection.prepare_cached("SELECT spelling FROM login_spelling WHERE login = ?1")?;
    for login in next.iter().filter_map(|text| Login::new(text).ok()).take(slice.limit) {
        let spelling: Option<String> =
            spelling.query_row([login.as_str()], |row| row.get(0)).optional()?;
        facts.slice.push(match spelling {
            Some(spelling) => login.spelled_as(&spelling),
            None => login,
        });
    }
    let logins = facts.slice.iter().cloned().collect();
    members(connection, &logins, facts)
}
