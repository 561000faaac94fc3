//! Loads open failures, and the newest answers about users.

use std::collections::BTreeSet;

use super::{by_user, check, each_of_users};
use crate::{
    domain::{CheckFilter, CheckId, Login, Timestamp},
    ledger::{Answered, CheckNumber, Facts, Failure, NextFailing, stored_login},
    store::{
        StoreError,
        row::{Unreadable, check_set, exchange, texts},
        sql::{Connection, Row, params},
    },
};

const COLUMNS: &str = "login, check_number, opened_at, reported_at, named_at, is_announced, by_title, \
     is_dated";

/// Loads all failures of users, with their checks.
pub(super) fn of_users(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if !logins.is_empty() {
        // An answer can name a check that is not stored.
        check::configured_words(connection, facts)?;
    }
    let mut checks = BTreeSet::new();
    each_of_users(
        connection,
        &format!("SELECT {COLUMNS} FROM failure WHERE login IN rarray(?1)"),
        logins,
        |login, row| {
            let check = row.get(1)?;
            checks.insert(check);
            put(facts, login, check, row)
        },
    )?;
    for login in logins {
        facts.load_complete(login.clone());
    }
    check::by_number(connection, &checks, facts)
}

/// Loads some of the users who fail a check. A login that cannot be decoded is skipped and does not
/// count towards the limit; the next query starts again with the users that are left.
pub(super) fn of_check(
    connection: &dyn Connection,
    check: &CheckId,
    limit: usize,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let (mut next, limit) = (NextFailing::default(), limit.max(1));
    let mut passed = 0;
    while next.users.len() < limit && !next.is_last {
        let mut seen = 0;
        connection.each(
            "SELECT login FROM failure
             WHERE check_number = (SELECT number FROM checks WHERE id = ?1)
             ORDER BY opened_at, login LIMIT ?2 OFFSET ?3",
            params![check.as_str(), limit, passed],
            |row| {
                seen += 1;
                next.users.extend(stored_login(row.text(0).unwrap_or_default()));
                Ok(())
            },
        )?;
        passed += seen;
        next.is_last = seen < limit;
    }
    if next.users.len() > limit {
        next.users.truncate(limit);
        next.is_last = false;
    }
    facts.failing.load(next);
    Ok(())
}

fn put(
    facts: &mut Facts,
    login: Login,
    check: CheckNumber,
    row: &Row<'_>,
) -> Result<(), StoreError> {
    let moments = (row.get(2), row.get(3), row.get::<Option<Timestamp>>(4));
    let (Ok(opened_at), Ok(reported_at), Ok(named_at)) = moments else {
        facts.load_unreadable_failure(login, check, &Unreadable::Moment.to_string());
        return Ok(());
    };
    let failure = Failure {
        opened_at,
        reported_at,
        named_at,
        is_announced: row.get(5)?,
        by_title: row.get(6)?,
        is_dated: row.get(7)?,
    };
    facts.load_failure(login, check, Some(failure));
    Ok(())
}

/// Loads all failures of all users who fail one of these checks.
pub(super) fn at_checks(
    connection: &dyn Connection,
    checks: &BTreeSet<CheckNumber>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if checks.is_empty() {
        return Ok(());
    }
    let mut logins = BTreeSet::new();
    connection.each(
        "SELECT login FROM failure WHERE check_number IN rarray(?1)",
        params![numbers(checks)[..]],
        |row| {
            logins.extend(Login::new(row.text(0)?));
            Ok(())
        },
    )?;
    of_users(connection, &logins, facts)?;
    for check in checks {
        facts.load_all_failing(*check);
    }
    Ok(())
}

/// Loads when a user was last listed or named as failing each of these checks.
pub(super) fn last_reports(
    connection: &dyn Connection,
    checks: &BTreeSet<CheckNumber>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if checks.is_empty() {
        return Ok(());
    }
    connection.each(
        "SELECT check_number, max(reported_at) FROM failure WHERE check_number IN rarray(?1)
         GROUP BY check_number",
        params![numbers(checks)[..]],
        |row| {
            // A moment out of range is far in the future: the check is still reported.
            let at = row.get(1).unwrap_or(Timestamp::MAX_UTC);
            facts.last_reports.load(row.get(0)?, Some(at));
            Ok(())
        },
    )?;
    for check in checks {
        facts.last_reports.load(*check, None);
    }
    Ok(())
}

/// The number of people who fail a check that a filter admits. It is summed over the sets of
/// failing checks, which are few where failures are many.
pub(super) fn admitted_people(
    connection: &dyn Connection,
    filter: &CheckFilter,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut admitted = BTreeSet::<CheckNumber>::new();
    connection.each("SELECT number, id FROM checks", &[], |row| {
        let id = CheckId::new(row.text(1).unwrap_or_default());
        if id.is_some_and(|id| filter.admits_check(&id)) {
            admitted.insert(row.get(0)?);
        }
        Ok(())
    })?;
    let mut people = 0;
    connection.each("SELECT checks, people FROM check_set", &[], |row| {
        let stored = row.text(0)?;
        let checks = check_set::decode(stored)
            .map_err(|error| StoreError::corrupt("check_set", stored, error))?;
        if checks.iter().any(|check| admitted.contains(check)) {
            people += row.get::<u64>(1)?;
        }
        Ok(())
    })?;
    facts.people_admitted.load(people);
    Ok(())
}

/// Numbers of checks as a parameter of a statement.
fn numbers(checks: &BTreeSet<CheckNumber>) -> Vec<CheckNumber> {
    checks.iter().copied().collect()
}

/// The columns of [`answer`], after the login.
pub(super) const ANSWERED: &str =
    "login, as_of, listed_at, unknown_since, suspect_since, shared_texts, exchange";

/// Loads the newest answers about users.
pub(super) fn answer_progress(
    connection: &dyn Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        &format!("SELECT {ANSWERED} FROM failure_answer WHERE login IN rarray(?1)"),
        logins,
        &mut facts.answered,
        |row| Ok(decode_progress(row)),
    )
}

pub(super) fn decode_progress(row: &Row<'_>) -> Result<Answered, Unreadable> {
    let moment = |column: usize| {
        let moment = row.get::<Option<Timestamp>>(column);
        moment.map_err(|_| Unreadable::Moment)
    };
    let shared: Option<String> = row.get(5).map_err(|_| Unreadable::Missing("texts"))?;
    let exchange: Option<String> = row.get(6).map_err(|_| Unreadable::Missing("exchange"))?;
    Ok(Answered {
        as_of: moment(1)?.ok_or(Unreadable::Moment)?,
        listed_at: moment(2)?,
        unknown_since: moment(3)?,
        suspect_since: moment(4)?,
        shared_texts: shared.map_or_else(|| Ok(BTreeSet::new()), |json| texts::decode(&json))?,
        exchange: exchange.map(|json| exchange::decode(&json)).transpose()?,
    })
}
