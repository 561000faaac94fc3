//! How logins are spelled.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::each_of_users;
use crate::{domain::Login, ledger::Facts, store::StoreError};

pub(super) fn of_users(
    connection: &Connection,
    logins: &BTreeSet<Login>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    each_of_users(
        connection,
        "SELECT login, spelling FROM login_spelling WHERE login IN rarray(?1)",
        logins,
        |login, row| {
            let spelling: String = row.get(1)?;
            facts.spellings.load(login, Some(spelling.into()));
            Ok(())
        },
    )?;
    for login in logins {
        facts.spellings.load(login.clone(), None);
    }
    Ok(())
}
