//! Open failures, and how far answers about users have got.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};

use super::{check, each_of_users};
use crate::{
    domain::{CheckId, Login, Timestamp},
    ledger::{Answered, CheckNumber, Facts, Failure},
    store::{
        StoreError,
        row::{Moment, Unreadable},
    },
};

/// All failures of users, with their checks.
pub(super) fn of_users(
    connection: &Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if !logins.is_empty() {
        // An answer can name a check that was never heard of.
        check::configured(connection, facts)?;
    }
    let mut checks = BTreeSet::new();
    each_of_users(
        connection,
        "SELECT login, check_number, opened_at, reported_at, delivery, is_announced,
                is_dated FROM failure
         WHERE login IN rarray(?1)",
        logins,
        |login, row| {
            let check = row.get(1)?;
            checks.insert(check);
            put(facts, login, check, row, 2)?;
            Ok(())
        },
    )?;
    for login in logins {
        facts.load_complete(login.clone());
    }
    check::by_number(connection, &checks, facts)
}

/// Some of the users who fail a check.
pub(super) fn of_check(
    connection: &Connection,
    check: &CheckId,
    limit: usize,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT login FROM failure
         WHERE check_number = (SELECT number FROM checks WHERE id = ?1)
         ORDER BY opened_at, login LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = select.query(params![check.as_str(), limit])?;
    facts.failing.clear();
    while let Some(row) = rows.next()? {
        facts.failing.extend(Login::new(row.get_ref(0)?.as_str().unwrap_or_default()));
    }
    Ok(())
}

fn put(
    facts: &mut Facts,
    login: Login,
    check: CheckNumber,
    row: &Row<'_>,
    first: usize,
) -> Result<(), StoreError> {
    let moments = (row.get::<_, Moment>(first), row.get::<_, Moment>(first + 1));
    let (Ok(Moment(opened_at)), Ok(Moment(reported_at))) = moments else {
        facts.load_unreadable_failure(login, check, &Unreadable::Moment.to_string());
        return Ok(());
    };
    let failure = Failure {
        opened_at,
        reported_at,
        delivery: row.get(first + 2)?,
        is_announced: row.get(first + 3)?,
        is_dated: row.get(first + 4)?,
    };
    facts.load_failure(login, check, Some(failure));
    Ok(())
}

/// How far answers about users have got.
pub(super) fn answered(
    connection: &Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    each_of_users(
        connection,
        "SELECT login, as_of, unknown_since FROM failure_answer WHERE login IN rarray(?1)",
        logins,
        |login, row| {
            match (row.get(1), row.get::<_, Option<Moment>>(2)) {
                (Ok(Moment(as_of)), Ok(unknown_since)) => {
                    let unknown_since = unknown_since.map(Timestamp::from);
                    facts.answered.load(login, Some(Answered { as_of, unknown_since }));
                }
                _ => facts.answered.load_unreadable(login, &Unreadable::Moment.to_string()),
            }
            Ok(())
        },
    )?;
    for login in logins {
        facts.answered.load(login.clone(), None);
    }
    Ok(())
}
