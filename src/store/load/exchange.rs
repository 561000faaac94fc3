//! Loads the texts that answers have in the place of checks that they listed before.

use std::collections::BTreeSet;

use super::{
    check,
    failure::{ANSWERED, decode_progress},
};
use crate::{
    domain::{CheckId, Login, fold_title},
    ledger::{Facts, NextUsers, Slice},
    store::{
        StoreError,
        row::exchange,
        sql::{Connection, params},
    },
};

/// Loads the exchanges of all users, with their checks and the checks that the texts can mean. A
/// row that cannot be decoded is left out: it proves no rename.
pub(super) fn all(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    let mut exchanges = Vec::new();
    let sql = "SELECT exchange FROM failure_answer WHERE exchange IS NOT NULL";
    connection.each(sql, &[], |row| {
        exchanges.extend(exchange::decode(row.text(0).unwrap_or_default()));
        Ok(())
    })?;
    let texts: BTreeSet<&String> = exchanges.iter().flat_map(|exchange| &exchange.texts).collect();
    let numbers: BTreeSet<_> =
        exchanges.iter().flat_map(|exchange| exchange.checks.iter().copied()).collect();
    let ids = texts.iter().filter_map(|text| CheckId::from_answer_text(text)).collect();
    let titles = texts.iter().map(|text| fold_title(text)).collect();
    check::by_id(connection, &ids, facts)?;
    check::by_title(connection, &titles, facts)?;
    check::by_number(connection, &numbers, facts)?;
    facts.exchanges.load(exchanges);
    Ok(())
}

/// The next users whose answers have such texts.
pub(super) fn next(
    connection: &dyn Connection,
    slice: &Slice,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {ANSWERED} FROM failure_answer WHERE exchange IS NOT NULL AND login > ?1
         ORDER BY login LIMIT ?2"
    );
    let after = slice.after.as_deref().unwrap_or_default();
    let mut texts = Vec::new();
    connection.each(&sql, params![after, slice.limit], |row| {
        let text = row.text(0)?;
        texts.push(text.to_owned());
        if let (Ok(login), Ok(answered)) = (Login::new(text), decode_progress(row)) {
            facts.answered.load(login, Some(answered));
        }
        Ok(())
    })?;
    let mut next = NextUsers::from_texts(texts, slice.limit);
    // An answer that cannot be decoded is not changed.
    next.users.retain(|login| facts.answered.is_loaded(login));
    facts.exchanging.load(next);
    Ok(())
}
