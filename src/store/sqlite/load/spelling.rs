//! How logins are spelled.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::by_user;
use crate::{domain::Login, ledger::Facts, store::StoreError};

pub(super) fn of_users(
    connection: &Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    by_user(
        connection,
        "SELECT login, spelling FROM login_spelling WHERE login IN rarray(?1)",
        logins,
        &mut facts.spellings,
        |row| Ok(Ok(row.get::<_, String>(1)?.into())),
    )
}
